"""computesvc-manage: what an operator does to the database and to operations that are stuck."""
import sys

from svckit import manage


class Commands(manage.Commands):
    name = 'computesvc'

    def make_service(self, files):
        from computesvc import conf as options
        from computesvc.service import Service
        from svckit import conf
        return Service(conf.load(self.name, options.OPTS, args=files))

    def parser(self):
        top = super().parser()
        self.add(self.seed, noun='flavors', help='flavors')
        return top

    def reports(self, session):
        from computesvc.db import services
        down = self.service.conf.service.down_time
        return [(row.binary, row.host, row.zone, not row.disabled, services.up(row, age, down), age)
                for row, age in services.find(session)]

    def counted_usage(self, session, project_id=None):
        from computesvc.db import servers
        return servers.counted_usage(session, project_id)

    def claim_differences(self, session, repair=False):
        from computesvc.db import claims
        return claims.differences(session, repair=repair)

    def problems(self):
        """Conductors and agents of which none reports, and what is odd about devices of hosts."""
        from computesvc.db import hypervisors, services
        with self.service.db.reader() as session:
            up = {binary for binary, _, _, _, up, _ in self.reports(session) if up}
            notices = [f'{row.host}: {text}' for row in hypervisors.find(session) for text in row.notices or ()]
        yield from (f'No {name} reports.' for name in (services.CONDUCTOR, services.AGENT) if name not in up)
        yield from notices

    def seed(self, arguments):
        """Add the usual flavors to a cloud that has none."""
        from computesvc.db import flavors
        print(f'{self.service.db.run(flavors.seed)} flavors were added.')


def main(argv=None) -> int:
    return Commands().main(argv)


if __name__ == '__main__':
    sys.exit(main())
