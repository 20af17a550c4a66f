"""computesvc-conductor: control steps, the agents' desk, housekeeping."""
import sys

from svckit import process


def main() -> int:
    process.start()
    from computesvc import conf as options
    from computesvc.service import Service
    from svckit import conf
    configuration = conf.load('computesvc', options.OPTS, args=sys.argv[1:])
    service = Service(configuration)
    conductor = service.conductor()
    conductor.start()
    process.until_signal(lambda: (conductor.stop(configuration.service.grace), service.messaging.stop()))
    return 0


if __name__ == '__main__':
    sys.exit(main())
