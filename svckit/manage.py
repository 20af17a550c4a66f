"""What the manage commands of both services have in common: the schema, operations, services, quota, `check`.

A service fills in what is its own by a subclass of `Commands`.
"""
import argparse
import datetime
import sys

from svckit import operations, process, quota
from svckit.db import migration

VERBS = {'give_up': 'abandon', 'list_services': 'list', 'check_quota': 'check', 'repair_quota': 'repair',
         'check_claims': 'check', 'repair_claims': 'repair'}
"""Of commands whose method has another name."""


class Commands:
    """`name` is the service's; each command is a method of the parsed arguments, and its docstring its help.

    A command returns its exit status, None for 0; svckit.errors.Error is told to the person.
    """

    name: str

    # -- what a service fills in

    def make_service(self, files: list[str]):
        """The Service, configured by these files."""
        raise NotImplementedError

    def abandon(self, session, id: str) -> None:
        """Give up a stuck operation and give back what it holds."""
        operations.abandon(session, id)

    def reports(self, session) -> list:
        """(binary, host, zone, enabled, up, seconds since its last report) of each process."""
        raise NotImplementedError

    def counted_usage(self, session, project_id: str | None = None) -> dict[str, dict[str, int]]:
        """project -> resource -> what there is of it, of one project or of all."""
        raise NotImplementedError

    def resource_titles(self, session) -> dict[str, str]:
        """resource -> what clients call it, of those that are not kept by that name."""
        return {}

    def claim_differences(self, session, repair=False) -> list[str]:
        """Sentences on room that is held for nobody or not held for somebody; put right with `repair`."""
        raise NotImplementedError

    def problems(self):
        """Sentences on what keeps this service from working, besides its schema and stuck operations."""
        raise NotImplementedError

    def parser(self) -> argparse.ArgumentParser:
        top = argparse.ArgumentParser(
            prog=f'{self.name}-manage', description='What an operator does to the database and to operations.')
        top.add_argument('--config-file', action='append', default=[])
        self._nouns = top.add_subparsers(metavar='COMMAND', required=True)
        self.add(self.check)
        self.add(self.sync, self.version, noun='db', help='the schema')
        self.add(self.list, noun='operations', help='work in progress').add_argument(
            '--state', default='live', help='live (the default), running, undoing, stuck, done, undone, …')
        for command in (self.show, self.retry, self.give_up):
            self.add(command, noun='operations').add_argument('id')
        self.add(self.list_services, noun='services', help='processes that report')
        for command in (self.check_quota, self.repair_quota):
            self.add(command, noun='quota', help='usage').add_argument('--project', help='this one alone, by its id')
        self.add(self.check_claims, self.repair_claims, noun='claims', help='room that is held')
        return top

    # -- the machinery

    _verbs = None

    def add(self, *commands, noun=None, help=None):
        """Add commands, those of a noun below it; returns the parser of the last one."""
        self._verbs = self._verbs or {None: self._nouns}
        if noun not in self._verbs:
            self._verbs[noun] = self._nouns.add_parser(noun, help=help).add_subparsers(metavar='VERB', required=True)
        for command in commands:
            name = VERBS.get(command.__name__, command.__name__)
            added = self._verbs[noun].add_parser(name, help=command.__doc__.strip().splitlines()[0])
            added.set_defaults(command=command)
        return added

    def main(self, argv=None) -> int:
        from svckit.errors import Error
        process.start('threads')        # nothing here waits for two things at once
        arguments = self.parser().parse_args(argv)
        self.service = self.make_service([word for file in arguments.config_file for word in ('--config-file', file)])
        try:
            return arguments.command(arguments) or 0
        except Error as e:
            print(e, file=sys.stderr)
            return 1

    @property
    def _newest(self):
        return migration.head(f'{self.name}.db.migrations')

    # -- the commands

    def sync(self, arguments):
        """Bring the schema up to date."""
        print('The schema was brought up to date.' if self.service.migrate() else 'The schema is up to date.')

    def version(self, arguments):
        """Show which revision the schema is at, and the newest one."""
        print(f'{migration.current(self.service.db)} (newest {self._newest})')

    def list(self, arguments):
        """List operations: live ones, or those of one --state."""
        with self.service.db.reader() as session:
            found = operations.queries.find(session, arguments.state)
        for op in found:
            print(f'{op.id}  {op.name:16} {op.state:9} {op.resource}  {op.error or ""}')

    def show(self, arguments):
        """Show one operation with its steps."""
        with self.service.db.reader() as session:
            op = operations.get(session, arguments.id)
            events = operations.events(session, op.id) if op else []
        if op is None:
            print(f'There is no operation {arguments.id}.', file=sys.stderr)
            return 1
        print(f'{op.id}  {op.name} v{op.version}  {op.state}  {op.resource}  {op.error or ""}')
        for step in operations.describe(self.service.registry, op, events)['steps']:
            seconds = '' if step['seconds'] is None else f'{step["seconds"]:.3f} s'
            print(f'  {step["name"]:18} {step["target"] or "":24} {step["state"]:9} {seconds}')
        for at, step, event, detail in [(op.created_at, None, 'started', None),
                                        *((row.at, row.step, row.event, row.detail) for row in events)]:
            moment = datetime.datetime.fromtimestamp(at, datetime.UTC).isoformat(timespec='milliseconds')
            print(f'  {moment}  {step or "":18} {event:10} {detail or ""}')

    def retry(self, arguments):
        """Resume a stuck operation where it stands."""
        self.service.db.run(lambda session: operations.retry(session, arguments.id))

    def give_up(self, arguments):
        """Give up a stuck operation and free what it holds."""
        self.service.db.run(lambda session: self.abandon(session, arguments.id))

    def list_services(self, arguments):
        """List the processes that report, and whether they still do."""
        with self.service.db.reader() as session:
            found = self.reports(session)
        for binary, host, zone, enabled, up, age in found:
            print(f'{binary:16} {host:24} {zone:10} {"enabled" if enabled else "disabled":9} '
                  f'{"up" if up else "down":5} {age:.0f} s ago')

    def check_quota(self, arguments):
        """Say where another usage is recorded than there is; exit status 1 if it is anywhere."""
        found = self._usage_differences(arguments.project)
        print('\n'.join(found) or 'All is well.')
        return 1 if found else 0

    def repair_quota(self, arguments):
        """Count what each project really uses and write it down."""
        for sentence in self._usage_differences(arguments.project, repair=True):
            print(sentence)

    def _usage_differences(self, project_id=None, repair=False):
        """Sentences on each figure that is wrong; put right with `repair`."""
        found = quota.differences(self.service.db, self.counted_usage, project_id, repair)
        with self.service.db.reader() as session:
            titles = self.resource_titles(session)
        return [f'{project}: {titles.get(name, name)}: {recorded[name]} recorded as in use, {counted[name]} found.'
                for project, recorded, counted in found for name in recorded]

    def check_claims(self, arguments):
        """Say where room is held for nobody, or not held for somebody; exit status 1 if it is anywhere."""
        with self.service.db.reader() as session:
            found = self.claim_differences(session)
        print('\n'.join(found) or 'All is well.')
        return 1 if found else 0

    def repair_claims(self, arguments):
        """Hold what servers or volumes take where they are, and nothing else, and add it up anew."""
        for sentence in self.service.db.run(lambda session: self.claim_differences(session, repair=True)):
            print(sentence)

    def check(self, arguments):
        """Say what keeps this installation from working; exit status 1 if anything does."""
        if migration.current(self.service.db) != self._newest:
            found = [f'The schema is not up to date: run {self.name}-manage db sync.']
        else:
            with self.service.db.reader() as session:
                counts, wrong = operations.counts(session), len(self.claim_differences(session))
            usage = len(self._usage_differences())
            found = [f'{count} {name} operations are stuck.' for (name, state), count in sorted(counts.items())
                     if state == 'stuck']
            found += [f'{wrong} claims are wrong: see {self.name}-manage claims check.'] if wrong else []
            found += [f'{usage} figures of quota are wrong: see {self.name}-manage quota check.'] if usage else []
            found += self.problems()
        print('\n'.join(found) or 'All is well.')
        return 1 if found else 0
