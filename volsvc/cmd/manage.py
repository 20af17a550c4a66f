"""volsvc-manage: what an operator does to the database and to operations that are stuck."""
import argparse
import datetime
import sys

from svckit import process


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(prog='volsvc-manage', description=__doc__)
    top.add_argument('--config-file', action='append', default=[])
    top.add_argument('--concurrency', default='threads', help=argparse.SUPPRESS)
    nouns = top.add_subparsers(dest='noun', required=True)

    def verb(noun, name, function, **arguments):
        added = noun.add_parser(name, help=function.__doc__.strip().splitlines()[0])
        added.set_defaults(function=function)
        for argument, settings in arguments.items():
            added.add_argument(settings.pop('flag', argument), **settings)

    db = nouns.add_parser('db', help='the schema').add_subparsers(required=True)
    verb(db, 'sync', db_sync)
    verb(db, 'version', db_version)
    operations = nouns.add_parser('operations', help='work in progress').add_subparsers(required=True)
    verb(operations, 'list', operations_list, state={'flag': '--state', 'default': 'live'})
    verb(operations, 'show', operations_show, id={})
    verb(operations, 'retry', operations_retry, id={})
    verb(operations, 'abandon', operations_abandon, id={})
    services = nouns.add_parser('services', help='processes that report').add_subparsers(required=True)
    verb(services, 'list', services_list)
    quota = nouns.add_parser('quota', help='usage').add_subparsers(required=True)
    verb(quota, 'repair', quota_repair)
    check_ = nouns.add_parser('check', help=check.__doc__.splitlines()[0])
    check_.set_defaults(function=check)
    return top


def main(argv=None) -> int:
    # Before anything of ours is imported; nothing here waits for two things at once.
    process.start('threads')
    arguments = parser().parse_args(argv)
    from svckit import conf
    from svckit.errors import Error
    from volsvc import conf as options
    from volsvc.service import Service
    service = Service(conf.load('volsvc', options.OPTS, args=[
        word for file in arguments.config_file for word in ('--config-file', file)]))
    try:
        return arguments.function(service, arguments) or 0
    except Error as e:
        print(e, file=sys.stderr)
        return 1


def db_sync(service, arguments):
    """Bring the schema up to date."""
    print('The schema was brought up to date.' if service.migrate() else 'The schema is up to date.')


def db_version(service, arguments):
    """Show which revision the schema is at, and the newest one."""
    from svckit.db import migration
    print(f"{migration.current(service.db)} (newest {migration.head('volsvc.db.migrations')})")


def operations_list(service, arguments):
    """List operations: live ones, or those of one --state."""
    from svckit.operations import queries
    with service.db.reader() as session:
        found = queries.find(session, arguments.state)
    for op in found:
        print(f'{op.id}  {op.name:16} {op.state:9} {op.resource}  {op.error or ""}')


def operations_show(service, arguments):
    """Show one operation with its steps."""
    from svckit import operations
    with service.db.reader() as session:
        op = operations.get(session, arguments.id)
        events = operations.events(session, op.id) if op else []
    if op is None:
        print(f'There is no operation {arguments.id}.', file=sys.stderr)
        return 1
    described = operations.describe(service.registry, op, events)
    print(f"{op.id}  {op.name} v{op.version}  {op.state}  {op.resource}  {op.error or ''}")
    for step in described['steps']:
        seconds = '' if step['seconds'] is None else f"{step['seconds']:.3f} s"
        print(f"  {step['name']:18} {step['target'] or '':24} {step['state']:9} {seconds}")
    for event in events:
        at = datetime.datetime.fromtimestamp(event.at, datetime.UTC).isoformat(timespec='milliseconds')
        print(f"  {at}  {event.step or '':18} {event.event:10} {event.detail or ''}")


def operations_retry(service, arguments):
    """Resume a stuck operation where it stands."""
    from svckit import operations
    service.db.run(lambda session: operations.retry(session, arguments.id))


def operations_abandon(service, arguments):
    """Give up a stuck operation and free what it holds."""
    from svckit import operations
    from volsvc.operations import extend_volume

    def work(session):
        operations.abandon(session, arguments.id)
        extend_volume.give_quota_back(session, operations.get(session, arguments.id))
    service.db.run(work)


def services_list(service, arguments):
    """List the processes that report, and whether they still do."""
    from volsvc.db import services
    with service.db.reader() as session:
        found = services.every(session)
    for row, age in found:
        state = 'up' if age <= service.conf.service.down_time else 'down'
        print(f"{row.binary:16} {row.host:24} {row.availability_zone:10} "
              f"{'disabled' if row.disabled else 'enabled':9} {state:5} {age:.0f} s ago")


def quota_repair(service, arguments):
    """Count what each project really uses and write it down."""
    from volsvc.db import volumes
    for project_id, before, after in service.db.run(volumes.repair_usage):
        print(f'{project_id}: {before} -> {after}')


def check(service, arguments):
    """Say what keeps this installation from working; 1 if anything does.

    Looks at the schema, the reports of backends, stuck operations, and whether the
    compute service lets itself be told.
    """
    from svckit import operations
    from svckit.db import migration
    from volsvc.db import services
    found = []
    if migration.current(service.db) != migration.head('volsvc.db.migrations'):
        found.append('The schema is not up to date: run volsvc-manage db sync.')
    else:
        with service.db.reader() as session:
            rows, counts = services.every(session), operations.counts(session)
        down = service.conf.service.down_time
        found += [] if rows else ['No storage backend has ever reported: start volsvc-worker.']
        found += [f'Backend {row.host} does not report.' for row, age in rows if age > down]
        found += [f'{count} {name} operations are stuck.' for (name, state), count in sorted(counts.items())
                  if state == 'stuck']
    found += [*_check_compute(service)]
    print('\n'.join(found) or 'All is well.')
    return 1 if found else 0


def _check_compute(service):
    """An event for a server that is nowhere is answered 404 to whoever may send one, 403 to others."""
    import uuid

    from svckit.peer import NoAnswer, Refusal
    try:
        service.compute.tell_extended(str(uuid.uuid4()), str(uuid.uuid4()))
    except Refusal as error:
        yield ('The compute service refuses our events, so no guest will see its disk grow: give the user in '
               f'[compute] the role "admin" or "service" ({error}).')
    except NoAnswer as error:
        yield f'The compute service does not answer: {error}'


if __name__ == '__main__':
    sys.exit(main())
