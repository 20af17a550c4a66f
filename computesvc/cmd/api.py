"""computesvc-api: the API over HTTP."""
import sys

from svckit import process


def main() -> int:
    process.start()
    from computesvc import conf as options
    from computesvc.service import Service
    from svckit import conf
    from svckit.web.server import Server
    configuration = conf.load('computesvc', options.OPTS, args=sys.argv[1:])
    api = configuration.api
    # Made in each process after the fork: connections and threads do not survive one.
    server = Server(None if api.processes > 1 else Service(configuration).api(), api.host, api.port, api.processes,
                    factory=(lambda: Service(configuration).api()) if api.processes > 1 else None, options=api)
    server.start()
    process.until_signal(server.stop)
    return 0


if __name__ == '__main__':
    sys.exit(main())
