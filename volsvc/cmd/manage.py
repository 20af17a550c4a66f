"""volsvc-manage: what an operator does to the database and to operations that are stuck."""
import sys
import uuid

from svckit import manage


class Commands(manage.Commands):
    name = 'volsvc'

    def make_service(self, files):
        from svckit import conf
        from volsvc import conf as options
        from volsvc.service import Service
        return Service(conf.load(self.name, options.OPTS, args=files))

    def abandon(self, session, id):
        from svckit import operations
        from volsvc.operations import extend_volume
        super().abandon(session, id)
        extend_volume.give_back(session, operations.get(session, id))

    def reports(self, session):
        from volsvc.db import services
        down = self.service.conf.service.down_time
        return [(row.binary, row.host, row.availability_zone, not row.disabled, age <= down, age)
                for row, age in services.every(session)]

    def counted_usage(self, session, project_id=None):
        from volsvc.db import usage
        return usage.counted(session, project_id)

    def resource_titles(self, session):
        from volsvc.db import limits
        return limits.titles(session)

    def claim_differences(self, session, repair=False):
        from volsvc.db import claims
        return claims.differences(session, repair=repair)

    def problems(self):
        """Backends that do not report, and a compute service that does not let itself be told."""
        with self.service.db.reader() as session:
            reports = self.reports(session)
        if not reports:
            yield 'No storage backend has ever reported: start volsvc-worker.'
        yield from (f'Backend {host} does not report.' for _, host, _, _, up, _ in reports if not up)
        yield from self._compute()

    def _compute(self):
        """An event for a server that is nowhere is answered 404 to whoever may send one, 403 to others."""
        from svckit.peer import NoAnswer, Refusal
        try:
            self.service.compute.tell_extended(str(uuid.uuid4()), str(uuid.uuid4()))
        except Refusal as error:
            yield ('The compute service refuses our events, so no guest will see its disk grow: give the user in '
                   f'[compute] the role "admin" or "service" ({error}).')
        except NoAnswer as error:
            yield f'The compute service does not answer: {error}'


def main(argv=None) -> int:
    return Commands().main(argv)


if __name__ == '__main__':
    sys.exit(main())
