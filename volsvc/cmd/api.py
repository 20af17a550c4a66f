"""volsvc-api: the API over HTTP."""
import sys

from svckit import process


def main() -> int:
    process.start()
    from svckit import conf
    from svckit.web.server import Server
    from volsvc import conf as options
    from volsvc.service import Service
    configuration = conf.load('volsvc', options.OPTS, args=sys.argv[1:])
    api = configuration.api
    # Made in each process after the fork: connections and threads do not survive one.
    server = Server(None if api.processes > 1 else Service(configuration).api(), api.host, api.port, api.processes,
                    factory=(lambda: Service(configuration).api()) if api.processes > 1 else None, options=api)
    server.start()
    process.until_signal(server.stop)
    return 0


if __name__ == '__main__':
    sys.exit(main())
