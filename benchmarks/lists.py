"""How long a page of a project's volumes takes, with few volumes in the database and with many.

    .venv/bin/python benchmarks/lists.py [--few 100] [--many 100000] [--rounds 30] [--databases sqlite,mariadb]

For each database one with few volumes and one with many, all in one project, each volume with an attachment; pages of
100 by GET /volumes/detail in this process without a wire. The rounds of both take turns, so that whatever else the
machine does hits both:
  first      the newest ones
  last       the page behind a marker near the end
  by name    sorted by name, behind a marker in the middle
  status     those in use, behind a marker in the middle
Prints a table of medians and, as its last line, the same as one JSON object.
"""
import argparse
import contextlib
import datetime
import logging
import pathlib
import sys
import tempfile
import time
import urllib.parse
import uuid

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from sqlalchemy import insert  # noqa: E402

from benchmarks import figures  # noqa: E402
from svckit.db import utcnow  # noqa: E402
from tests import databases  # noqa: E402
from tests.api.volsvc import plans  # noqa: E402
from tests.api.volsvc.world import World  # noqa: E402
from volsvc.db.models import Attachment, Volume  # noqa: E402

LIMIT, GIB, CHUNK = 100, 1 << 30, 5000
PAGES = {'first': ('', None), 'last': ('', -LIMIT), 'by name': ('sort=name:asc', 0), 'status': ('status=in-use', 0)}


def fill(db, count):
    """So many volumes, one in ten of them in error."""
    start = utcnow()
    for first in range(0, count, CHUNK):
        volumes = [_volume(number, start) for number in range(first, min(first + CHUNK, count))]
        with db.transaction() as session:
            session.execute(insert(Volume), volumes)
            session.execute(insert(Attachment), [
                {'id': str(uuid.uuid4()), 'volume_id': one['id'], 'project_id': 'p1', 'attach_status': 'attached',
                 'instance_uuid': str(uuid.uuid4()), 'created_at': one['created_at']} for one in volumes])
    plans.analyze(db, ('volumes', 'volume_attachments'))


def _volume(number, start):
    at = start - datetime.timedelta(seconds=number)
    return {'id': str(uuid.uuid4()), 'project_id': 'p1', 'user_id': 'u1', 'name': f'volume-{number * 7919 % 100003}',
            'size': GIB, 'status': 'error' if number % 10 == 3 else 'in-use', 'host': 'host@memory#memory',
            'availability_zone': 'nova', 'created_at': at, 'updated_at': at, 'meta': {'number': str(number)},
            'bootable': False, 'multiattach': False, 'readonly': False}


class Lists:
    """A service with so many volumes, and the addresses of its pages."""

    def __init__(self, folder, url, count):
        self._world = World(folder, **({'database__connection': url} if url else {}))
        fill(self._world.service.db, count)
        self.pages = {name: self._address(query, place, count) for name, (query, place) in PAGES.items()}

    def _address(self, query, place, count):
        """`place`: where its marker is: None for none, 0 for the middle, or from the end; a full page follows."""
        query = f'limit={LIMIT}&{query}'
        if place is None:
            return query
        skipped = max((count + place if place else count // 2) - LIMIT // 2, 0) if count > LIMIT else 0
        first = self._world.get(f'/volumes?{query}&limit=1&offset={skipped}')['volumes'][0]
        return f'{query}&marker={urllib.parse.quote(first["id"])}'

    def timed(self, name) -> tuple[float, int, int]:
        """(seconds, queries, volumes) of one page."""
        with plans.statements(self._world.service.db) as asked:
            began = time.perf_counter()
            answer = self._world.call('GET', f'/v3/p1/volumes/detail?{self.pages[name]}')
            taken = time.perf_counter() - began
        return taken, len(asked), len(answer.json['volumes'])

    def close(self):
        self._world.service.db.dispose()


def measure(kind, counts, rounds) -> dict:
    """{page: {'few': figures, 'many': figures, 'ratio': …}}"""
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(getattr(databases, kind)()) if kind != 'sqlite' else None
        lists = {}
        for size, count in counts.items():
            folder = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory(prefix='bench-')))
            lists[size] = Lists(folder, databases.new_database(server, f'bench_{size}') if server else None, count)
            stack.callback(lists[size].close)
        return {page: _of(page, lists, rounds) for page in PAGES}


def _of(page, lists, rounds):
    taken = {size: [] for size in lists}
    for _ in range(rounds + 3):
        for size, one in lists.items():
            taken[size].append(one.timed(page))
    found = {size: figures.summary([seconds for seconds, _, _ in done[3:]]) | {
        'queries': max(queries for _, queries, _ in done), 'volumes': done[-1][2]} for size, done in taken.items()}
    return found | {'ratio': round(found['many']['p50_ms'] / found['few']['p50_ms'], 2)}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--few', type=int, default=100)
    parser.add_argument('--many', type=int, default=100000)
    parser.add_argument('--rounds', type=int, default=30)
    parser.add_argument('--databases', default='sqlite,postgresql,mariadb')
    options = parser.parse_args()
    logging.disable(logging.WARNING)
    result = {kind: measure(kind, {'few': options.few, 'many': options.many}, options.rounds)
              for kind in options.databases.split(',')}
    rows = [(f'{kind}, {page}', *(found[size][part] for size in ('few', 'many')
                                  for part in ('volumes', 'queries', 'p50_ms')), found['ratio'])
            for kind, pages in result.items() for page, found in pages.items()]
    figures.report(('page', 'of few', 'queries', 'p50 ms', 'of many', 'queries', 'p50 ms', 'ratio'), rows, result)


if __name__ == '__main__':
    main()
