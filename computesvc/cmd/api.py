"""computesvc-api: the API over HTTP."""
import sys

from svckit import process


def main() -> int:
    process.start()
    from computesvc import conf as options
    from computesvc.api import routes  # noqa: F401  (before the processes part, so that they share it)
    from computesvc.service import Service
    from svckit import conf
    from svckit.web.server import serve
    configuration = conf.load('computesvc', options.OPTS, args=sys.argv[1:])
    serve(lambda: Service(configuration).api(), configuration.api)
    return 0


if __name__ == '__main__':
    sys.exit(main())
