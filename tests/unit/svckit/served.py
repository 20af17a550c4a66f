"""A program that serves a small API until told to end; its first line of output is its port and its pid.

Never to be imported: it patches the process.
"""
from svckit import process

process.start()

import ctypes  # noqa: E402
import os  # noqa: E402
import sys  # noqa: E402
import time  # noqa: E402

from svckit import conf as configuration  # noqa: E402
from svckit import policy, web  # noqa: E402
from svckit.web.server import Server  # noqa: E402

VERSIONS = web.Versions(('volume',), '3.0', '3.71', path='/v3', id='v3.0')


@web.handler()
def who(req):
    return {'pid': os.getpid(), 'concurrency': process.concurrency()}


@web.handler(202, body={'type': 'object'})
def take(req):
    return {'size': len(req.data.get('text', ''))}


@web.handler()
def wait(req, milliseconds):
    """Sleeps as our code does."""
    time.sleep(int(milliseconds) / 1000)
    return {}


@web.handler()
def block(req, milliseconds):
    """Sleeps in C, as a library does."""
    process.native(ctypes.CDLL(None).usleep, int(milliseconds) * 1000)
    return {}


ROUTES = {'/v3/who': {'GET': who}, '/v3/{project_id}/take': {'POST': take}, '/v3/wait/{milliseconds}': {'GET': wait},
          '/v3/block/{milliseconds}': {'GET': block}}


class Service:
    def __init__(self, conf):
        self.conf, self.policy = conf, policy.Policy(conf, [])


def main():
    conf = configuration.load('testsvc', {}, args=sys.argv[1:], api__auth_strategy='noauth')
    server = Server(None, '127.0.0.1', 0, conf.api.processes, options=conf.api,
                    factory=lambda: web.application(Service(conf), ROUTES, VERSIONS))
    server.start()
    print(server.port, os.getpid(), flush=True)
    process.until_signal(lambda: server.stop(conf.service.grace))


if __name__ == '__main__':
    main()
