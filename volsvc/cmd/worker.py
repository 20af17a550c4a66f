"""volsvc-worker: runs the operations of storage backends: all that are enabled, or one --backend NAME."""
import argparse
import sys

from svckit import process


def main() -> int:
    process.start()
    from svckit import conf
    from volsvc import conf as options
    from volsvc.drivers import DriverError
    from volsvc.service import Service
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument('--backend', action='append')
    chosen, others = parser.parse_known_args()
    configuration = conf.load('volsvc', options.OPTS, args=others)
    service = Service(configuration)
    try:
        workers = [service.worker(name) for name in chosen.backend or configuration.enabled_backends]
    except DriverError as error:
        print(f'volsvc-worker: {error}', file=sys.stderr)
        return 1
    for worker in workers:
        worker.start()

    def stop():
        stopping = [process.spawn(worker.stop, name='stop') for worker in workers]
        for thread in stopping:
            thread.join()
        service.messaging.stop()
    process.until_signal(stop)
    return 0


if __name__ == '__main__':
    sys.exit(main())
