"""volsvc-api: the API over HTTP."""
import sys

from svckit import process


def main() -> int:
    process.start()
    from svckit import conf
    from svckit.web.server import serve
    from volsvc import conf as options
    from volsvc.api import routes  # noqa: F401  (before the processes part, so that they share it)
    from volsvc.service import Service
    configuration = conf.load('volsvc', options.OPTS, args=sys.argv[1:])
    serve(lambda: Service(configuration).api(), configuration.api)
    return 0


if __name__ == '__main__':
    sys.exit(main())
