"""A page costs as much of a long list as of a short one, on each database: so many queries, and so many rows read."""
import datetime
import math
import uuid

import pytest
from sqlalchemy import insert

from svckit.db import utcnow
from tests.api.volsvc import plans
from tests.api.volsvc.world import ADMIN, World
from tests.conftest import KINDS
from volsvc.db.models import Attachment, Message, Snapshot, Volume

MANY, LIMIT, GIB = 2000, 20, 1024 ** 3
TABLES = ('volumes', 'snapshots', 'volume_attachments', 'messages', 'volume_types')
KEYS = 'created_at', 'name', 'status', 'size', 'updated_at'
SORTS = [f'sort={key}:{way}' for key in KEYS for way in ('asc', 'desc')]
ALL = 'all_tenants=1'
LISTS = {
    'volumes/detail': ['', *SORTS, 'status=error', 'name=v7', ALL, f'{ALL}&status=error',
                       f'{ALL}&host=host@memory%23memory', f'{ALL}&project_id=p2', f'{ALL}&project_id=p2&sort=name'],
    'snapshots/detail': ['', *SORTS, 'status=error', 'name=v7', ALL, 'volume_id={volume}',
                         f'{ALL}&volume_id={{volume}}'],
    'attachments/detail': ['', 'sort=created_at:asc', 'volume_id={volume}', 'instance_id={volume}', ALL],
    'messages': ['', 'sort=created_at:asc', 'resource_uuid={volume}', ALL],
}
FEW = 'instance_id', 'resource_uuid', 'volume_id'       # so few have the same that they may be sorted
ROWS = 2 * LIMIT + 10


@pytest.fixture(scope='module', params=KINDS)
def world(request, all_databases, tmp_path_factory):
    world = World(tmp_path_factory.mktemp('lists'), database__connection=all_databases.new(request.param))
    fill(world.service.db)
    plans.analyze(world.service.db, TABLES)
    world.service.backends()
    yield world
    world.service.db.dispose()


def fill(db):
    """Twice so many of everything, half of them another project's; many are alike in what they can be sorted by."""
    start = utcnow()
    volumes = [_volume(number, start) for number in range(2 * MANY)]
    shared = [{'project_id': one['project_id'], 'created_at': one['created_at'], 'volume_id': one['id']}
              for one in volumes]
    alike = ('name', 'size', 'status', 'updated_at')
    with db.transaction() as session:
        session.execute(insert(Volume), volumes)
        session.execute(insert(Snapshot), [
            {**other, **{key: one[key] for key in alike}, 'counted': 0, 'id': str(uuid.uuid4())}
            for one, other in zip(volumes, shared, strict=True)])
        session.execute(insert(Attachment), [{**other, 'id': str(uuid.uuid4()), 'instance_uuid': other['volume_id'],
                                              'attach_status': 'attached'} for other in shared])
        session.execute(insert(Message), [
            {'id': str(uuid.uuid4()), 'project_id': one['project_id'], 'created_at': one['created_at'], 'event_id': 'e',
             'expires_at': start + datetime.timedelta(1), 'resource_type': 'VOLUME', 'resource_uuid': one['id'],
             'message_level': 'ERROR', 'user_message': 'x'} for one in volumes])


def _volume(number, start):
    at = start - datetime.timedelta(seconds=number // 3)
    return {'id': str(uuid.uuid4()), 'project_id': f'p{number % 2 + 1}', 'name': f'v{number // 2 % 20}',
            'size': GIB * (number // 100 % 3 + 1), 'status': 'error' if number % 200 < 2 else 'available',
            'host': 'host@memory#memory', 'availability_zone': 'nova', 'created_at': at,
            'updated_at': None if number < 20 else at + datetime.timedelta(seconds=number % 7), 'meta': {},
            'bootable': False, 'multiattach': False, 'readonly': False}


@pytest.mark.parametrize('path, query', [(path, query) for path, queries in LISTS.items() for query in queries])
def test_a_page_costs_the_same_wherever_it_is(world, path, query):
    volume = world.get('/volumes?limit=1&offset=700')['volumes'][0]['id']
    query, who = query.format(volume=volume), ADMIN if ALL in query else {}
    name = path.partition('/')[0]
    project = 'p2' if 'project_id=p2' in query else 'p1'
    deep = [one for offset in (MANY // 2, MANY - 5, 1)
            for one in world.get(f'/{path}?limit=1&offset={offset}&{query}', project=project, **who)[name]]
    for marker in ['', *(f'&marker={one["id"]}' for one in deep)]:
        with plans.statements(world.service.db) as found:
            answer = world.get(f'/{path}?limit={LIMIT}&{query}{marker}', project=project, **who)
        assert len(answer[name]) <= LIMIT
        assert len(found) <= (5 if marker else 2), found
        for statement, parameters in found:
            read, plan = plans.cost(world.service.db, statement, parameters)
            few = 'LIMIT' not in statement or query.partition('=')[0] in FEW
            assert read <= ROWS or few and read == math.inf, f'{read} rows\n{statement}\n{plan}'
