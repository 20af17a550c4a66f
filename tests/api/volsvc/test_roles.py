"""Who may do what: every address, tried by everybody.

A new address, action or policy needs its row.  A row is what is asked for, who gets it, and the policy that decides:
forbidden to everybody (as an operator may do), it is refused to an administrator too.  `{…}` is something of project
p1, made by THINGS and named for good values of `…`.
"""
import json
import re
import shutil

import pytest

from svckit.db import new_id
from svckit.web.handler import Actions
from svckit.web.routing import Router
from tests.api.volsvc.world import CONNECTOR, World
from volsvc import policies
from volsvc.api import routes
from volsvc.policies import (
    attachments,
    availability_zones,
    capabilities,
    default_types,
    extensions,
    messages,
    operations,
    quota_sets,
    scheduler_stats,
    services,
    snapshots,
    types,
    types_encryption,
    types_extra_specs,
    volume_actions,
    volume_connections,
    volume_metadata,
    volumes,
)

PEOPLE = {
    'nobody': {'roles': '', 'project': 'p1'},
    'reader': {'roles': 'reader', 'project': 'p1'},
    'member': {'roles': 'member', 'project': 'p1'},
    'manager': {'roles': 'manager', 'project': 'p1'},
    'admin': {'roles': 'admin', 'project': 'p1'},
    'service': {'roles': 'service', 'project': 'service', 'x_service_roles': 'service'},
    'stranger': {'roles': 'manager', 'project': 'p2'},
    'system': {'roles': 'admin', 'project': '', 'openstack_system_scope': 'all'},
    'auditor': {'roles': 'reader', 'project': '', 'openstack_system_scope': 'all'},
    'domain': {'roles': 'admin', 'project': '', 'x_domain_id': 'default'},
}
READER = {'reader', 'member', 'manager', 'admin', 'stranger'}
MEMBER = READER - {'reader'}
MANAGER = MEMBER - {'member'}
ADMIN = {'admin'}
SERVICE = {'service'}
SYSTEM = {'system'}
AUDITOR = {'system', 'auditor'}
EVERYBODY = set(PEOPLE)
# What belongs to one project: no stranger's.
OWNED = re.compile(r'{(?!(?:type|luks|private|image|new)})\w+}|/p1\b')

VOLUME = '/volumes/{volume}'
ACT = f'POST {VOLUME}/action'
USED = 'POST /volumes/{used}/action'
SNAPSHOT = '/snapshots/{snapshot}'
ATTACHMENT = '/attachments/{attachment}'
TYPE = '/types/{type}'
LUKS = '/types/{luks}/encryption'
META = {'metadata': {'a': 'c'}}
NEW = {'size': 1}
SPECS = {'provider': 'luks', 'control_location': 'front-end'}
SWITCH = {'host': 'host@memory', 'binary': 'cinder-volume'}
CONNECT = {'connector': CONNECTOR}

ROWS = [
    # what is asked for, its body, who gets it, the policy that decides
    ('GET /volumes', None, READER, volumes.GET_ALL),
    ('GET /volumes/detail', None, READER, volumes.GET_ALL),
    ('GET /volumes/summary', None, READER, volumes.GET_ALL),
    ('POST /volumes', {'volume': NEW}, MEMBER, volumes.CREATE),
    ('POST /volumes', {'volume': {**NEW, 'imageRef': '{image}'}}, MEMBER, volumes.CREATE_FROM_IMAGE),
    ('POST /volumes', {'volume': {**NEW, 'volume_type': 'shared'}}, MEMBER, volumes.MULTIATTACH),
    (f'GET {VOLUME}', None, READER | SERVICE, volumes.GET),
    (f'PUT {VOLUME}', {'volume': {'name': 'b'}}, MEMBER, volumes.UPDATE),
    (f'DELETE {VOLUME}', None, MEMBER, volumes.DELETE),
    (f'DELETE {VOLUME}?force=true', None, ADMIN, volumes.FORCE_DELETE),
    (f'GET {VOLUME}/encryption', None, READER | SERVICE, volumes.ENCRYPTION_METADATA),
    (f'GET {VOLUME}/metadata', None, READER | SERVICE, volume_metadata.GET),
    (f'GET {VOLUME}/metadata/a', None, READER | SERVICE, volume_metadata.GET),
    (f'POST {VOLUME}/metadata', META, MEMBER, volume_metadata.CREATE),
    (f'PUT {VOLUME}/metadata', META, MEMBER, volume_metadata.UPDATE),
    (f'PUT {VOLUME}/metadata/a', {'meta': {'a': 'c'}}, MEMBER, volume_metadata.UPDATE),
    (f'DELETE {VOLUME}/metadata/a', None, MEMBER, volume_metadata.DELETE),
    (f'GET {VOLUME}/operations', None, READER, operations.LIST),

    (ACT, {'os-extend': {'new_size': 2}}, MEMBER, volume_actions.EXTEND),
    (USED, {'os-extend': {'new_size': 2}}, MEMBER, volume_actions.EXTEND_ATTACHED),
    ('POST /volumes/{errored}/action', {'os-extend': {'new_size': 2}}, MEMBER, volume_actions.EXTEND_ERRORED),
    ('POST /volumes/{snapped}/action', {'revert': {'snapshot_id': '{snapshot}'}}, MEMBER, volume_actions.REVERT),
    (ACT, {'os-extend_volume_completion': {}}, ADMIN | SERVICE, volume_actions.EXTEND_COMPLETION),
    (ACT, {'os-reset_status': {'status': 'error'}}, ADMIN, volume_actions.RESET_STATUS),
    (ACT, {'os-force_delete': None}, ADMIN, volume_actions.FORCE_DELETE),
    (ACT, {'os-set_bootable': {'bootable': True}}, MEMBER, volumes.UPDATE),
    (ACT, {'os-update_readonly_flag': {'readonly': True}}, MEMBER, volume_actions.UPDATE_READONLY),
    (ACT, {'os-volume_upload_image': {'image_name': 'i'}}, MEMBER, volume_actions.UPLOAD_IMAGE),
    (ACT, {'os-volume_upload_image': {'image_name': 'i', 'visibility': 'public'}}, ADMIN, volume_actions.UPLOAD_PUBLIC),
    (ACT, {'os-show_image_metadata': None}, READER | SERVICE, volume_metadata.IMAGE_SHOW),
    (ACT, {'os-set_image_metadata': META}, MEMBER, volume_metadata.IMAGE_SET),
    ('POST /volumes/{imaged}/action', {'os-unset_image_metadata': {'key': 'a'}}, MEMBER, volume_metadata.IMAGE_REMOVE),
    (ACT, {'os-reserve': None}, MEMBER | SERVICE, volume_connections.RESERVE),
    (ACT, {'os-unreserve': None}, MEMBER | SERVICE, volume_connections.UNRESERVE),
    (ACT, {'os-initialize_connection': CONNECT}, MEMBER | SERVICE, volume_connections.INITIALIZE_CONNECTION),
    (ACT, {'os-attach': {'host_name': 'h', 'mountpoint': '/dev/vdb'}}, MEMBER | SERVICE, volume_connections.ATTACH),
    (USED, {'os-begin_detaching': None}, MEMBER | SERVICE, volume_connections.BEGIN_DETACHING),
    (USED, {'os-roll_detaching': None}, MEMBER | SERVICE, volume_connections.ROLL_DETACHING),
    (ACT, {'os-terminate_connection': CONNECT}, MEMBER | SERVICE, volume_connections.TERMINATE_CONNECTION),
    ('POST /volumes/{hosted}/action', {'os-detach': {}}, MEMBER | SERVICE, volume_connections.DETACH),
    ('POST /volumes/{hosted}/action', {'os-force_detach': {}}, ADMIN, volume_connections.FORCE_DETACH),

    ('GET /snapshots', None, READER, snapshots.GET_ALL),
    ('GET /snapshots/detail', None, READER, snapshots.GET_ALL),
    ('POST /snapshots', {'snapshot': {'volume_id': '{volume}'}}, MEMBER, snapshots.CREATE),
    (f'GET {SNAPSHOT}', None, READER, snapshots.GET),
    (f'PUT {SNAPSHOT}', {'snapshot': {'name': 'b'}}, MEMBER, snapshots.UPDATE),
    (f'DELETE {SNAPSHOT}', None, MEMBER, snapshots.DELETE),
    (f'POST {SNAPSHOT}/action', {'os-reset_status': {'status': 'error'}}, ADMIN, snapshots.RESET_STATUS),
    (f'POST {SNAPSHOT}/action', {'os-force_delete': None}, ADMIN, snapshots.FORCE_DELETE),
    ('POST /snapshots/{unmade}/action', {'os-update_snapshot_status': {'status': 'creating'}}, MEMBER | SERVICE,
     snapshots.UPDATE_STATUS),
    (f'GET {SNAPSHOT}/metadata', None, READER, snapshots.GET_METADATA),
    (f'GET {SNAPSHOT}/metadata/a', None, READER, snapshots.GET_METADATA),
    (f'POST {SNAPSHOT}/metadata', META, MEMBER, snapshots.UPDATE_METADATA),
    (f'PUT {SNAPSHOT}/metadata', META, MEMBER, snapshots.UPDATE_METADATA),
    (f'PUT {SNAPSHOT}/metadata/a', {'meta': {'a': 'c'}}, MEMBER, snapshots.UPDATE_METADATA),
    (f'DELETE {SNAPSHOT}/metadata/a', None, MEMBER, snapshots.DELETE_METADATA),
    (f'GET {SNAPSHOT}/operations', None, READER, operations.LIST),
    ('GET /operations', None, READER, operations.LIST),
    ('GET /operations/{operation}', None, READER, operations.SHOW),

    ('GET /attachments', None, READER | SERVICE, attachments.GET_ALL),
    ('GET /attachments/detail', None, READER | SERVICE, attachments.GET_ALL),
    ('POST /attachments', {'attachment': {'volume_uuid': '{volume}', 'instance_uuid': '{server}'}}, MEMBER | SERVICE,
     attachments.CREATE),
    ('POST /attachments', {'attachment': {'volume_uuid': '{bootable}', 'instance_uuid': '{server}'}}, MEMBER | SERVICE,
     attachments.MULTIATTACH_BOOTABLE),
    (f'GET {ATTACHMENT}', None, READER | SERVICE, attachments.GET),
    (f'PUT {ATTACHMENT}', {'attachment': CONNECT}, MEMBER | SERVICE, attachments.UPDATE),
    (f'DELETE {ATTACHMENT}', None, MEMBER | SERVICE, attachments.DELETE),
    (f'POST {ATTACHMENT}/action', {'os-complete': None}, MEMBER | SERVICE, attachments.COMPLETE),

    ('GET /types', None, READER | AUDITOR, types.GET_ALL),
    ('POST /types', {'volume_type': {'name': '{new}'}}, ADMIN | SYSTEM, types.CREATE),
    (f'GET {TYPE}', None, READER | AUDITOR | SERVICE, types.GET),
    (f'PUT {TYPE}', {'volume_type': {'description': 'b'}}, ADMIN | SYSTEM, types.UPDATE),
    (f'DELETE {TYPE}', None, ADMIN | SYSTEM, types.DELETE),
    ('POST /types/{private}/action', {'addProjectAccess': {'project': '{new}'}}, ADMIN | SYSTEM, types.ACCESS_ADD),
    ('POST /types/{private}/action', {'removeProjectAccess': {'project': 'p1'}}, ADMIN | SYSTEM, types.ACCESS_REMOVE),
    ('GET /types/{private}/os-volume-type-access', None, ADMIN | SYSTEM, types.ACCESS_LIST),
    (f'GET {TYPE}/encryption', None, ADMIN | AUDITOR, types_encryption.GET),
    (f'POST {TYPE}/encryption', {'encryption': SPECS}, ADMIN | SYSTEM, types_encryption.CREATE),
    (f'GET {LUKS}/provider', None, ADMIN | AUDITOR, types_encryption.GET),
    (f'PUT {LUKS}/provider', {'encryption': {'cipher': 'c'}}, ADMIN | SYSTEM, types_encryption.UPDATE),
    (f'DELETE {LUKS}/provider', None, ADMIN | SYSTEM, types_encryption.DELETE),
    (f'GET {TYPE}/extra_specs', None, READER | AUDITOR, types_extra_specs.INDEX),
    (f'POST {TYPE}/extra_specs', {'extra_specs': {'a': 'b'}}, ADMIN | SYSTEM, types_extra_specs.CREATE),
    (f'GET {TYPE}/extra_specs/multiattach', None, READER | AUDITOR, types_extra_specs.SHOW),
    (f'PUT {TYPE}/extra_specs/a', {'a': 'b'}, ADMIN | SYSTEM, types_extra_specs.UPDATE),
    (f'DELETE {TYPE}/extra_specs/secret', None, ADMIN | SYSTEM, types_extra_specs.DELETE),
    ('GET /default-types', None, ADMIN | AUDITOR, default_types.GET_ALL),
    ('GET /default-types/p1', None, MANAGER | AUDITOR, default_types.GET),
    ('PUT /default-types/p1', {'default_type': {'volume_type': '{type}'}}, MANAGER | SYSTEM, default_types.SET),
    ('DELETE /default-types/p1', None, MANAGER | SYSTEM, default_types.UNSET),

    ('GET /os-quota-sets/p1', None, READER | AUDITOR, quota_sets.SHOW),
    ('GET /os-quota-sets/p1/defaults', None, READER | AUDITOR, quota_sets.SHOW),
    ('PUT /os-quota-sets/p1', {'quota_set': {'groups': 7}}, ADMIN | SYSTEM, quota_sets.UPDATE),
    ('DELETE /os-quota-sets/p1', None, ADMIN | SYSTEM, quota_sets.DELETE),
    ('GET /os-quota-class-sets/default', None, ADMIN | AUDITOR, quota_sets.CLASS_GET),
    ('PUT /os-quota-class-sets/default', {'quota_class_set': {'groups': 7}}, ADMIN | SYSTEM, quota_sets.CLASS_UPDATE),
    ('GET /limits', None, EVERYBODY, None),

    ('GET /messages', None, READER, messages.GET_ALL),
    ('GET /messages/{message}', None, READER, messages.GET),
    ('DELETE /messages/{message}', None, MEMBER, messages.DELETE),

    ('GET /os-services', None, ADMIN | AUDITOR, services.INDEX),
    ('PUT /os-services/enable', SWITCH, ADMIN | SYSTEM, services.UPDATE),
    ('PUT /os-services/disable', SWITCH, ADMIN | SYSTEM, services.UPDATE),
    ('PUT /os-services/disable-log-reason', {**SWITCH, 'disabled_reason': 'r'}, ADMIN | SYSTEM, services.UPDATE),
    ('GET /scheduler-stats/get_pools', None, ADMIN | AUDITOR, scheduler_stats.GET_POOLS),
    ('GET /capabilities/host@memory', None, ADMIN | AUDITOR, capabilities.GET),
    ('GET /os-availability-zone', None, EVERYBODY - {'domain'}, availability_zones.LIST),
    ('GET /extensions', None, EVERYBODY - {'domain'}, extensions.LIST),
    ('GET /extensions/os-services', None, EVERYBODY - {'domain'}, extensions.LIST),
    ('GET /resource_filters', None, EVERYBODY, None),
]

# Refused to those, too, who may ask.
NEVER_DONE = 'os-extend_volume_completion'

# What a policy adds to an answer: where, what, who sees it, the policy.
PARTS = [
    (f'GET {VOLUME}', 'os-vol-host-attr:host', ADMIN, volumes.HOST_ATTRIBUTE),
    (f'GET {VOLUME}', 'os-vol-tenant-attr:tenant_id', READER, volumes.TENANT_ATTRIBUTE),
    (f'GET {VOLUME}', 'os-vol-mig-status-attr:migstat', ADMIN, volumes.MIGRATION_ATTRIBUTE),
    ('GET /volumes/{imaged}', 'volume_image_metadata', READER | SERVICE, volume_metadata.IMAGE_SHOW),
    (f'GET {SNAPSHOT}', 'os-extended-snapshot-attributes:progress', READER, snapshots.EXTENDED_ATTRIBUTES),
    ('GET /attachments/{connected}', 'driver_volume_type', ADMIN | SERVICE, attachments.GET_CONNECTION),
    (f'GET {TYPE}', 'extra_specs', READER | AUDITOR, types.EXTRA_SPECS),
    (f'GET {TYPE}', 'secret', ADMIN | AUDITOR, types_extra_specs.READ_SENSITIVE),
    (f'GET {TYPE}', 'qos_specs_id', ADMIN | AUDITOR, types.QOS),
    (f'GET {TYPE}', 'os-volume-type-access:is_public', MEMBER | SYSTEM, types.ACCESS),
    ('GET /limits', 'totalVolumesUsed', READER, quota_sets.USED_LIMITS),
    ('GET /limits?project_id=p3', '77', ADMIN, quota_sets.OTHER_LIMITS),
]


class Things:
    """What rows name, made in project p1 when it is first named."""

    def __init__(self, world):
        self.world, self.made = world, {}

    def fill(self, text):
        return re.sub(r'{(\w+)}', lambda found: self[found[1]], text)

    def forget(self):
        self.made.clear()

    def __getitem__(self, name):
        if name not in self.made:
            self.made[name] = getattr(self, name)()
        return self.made[name]

    def _type(self, **specs):
        kind = {'name': self.new(), 'extra_specs': specs}
        return self.world.post('/types', {'volume_type': kind}, 200, **ROOT)['volume_type']['id']

    def new(self):
        return new_id()

    def type(self):
        return self._type(secret='s', multiattach='<is> True')

    def luks(self):
        id = self._type()
        self.world.post(f'/types/{id}/encryption', {'encryption': SPECS}, 200, **ROOT)
        return id

    def private(self):
        id = self._type()
        self.world.put(f'/types/{id}', {'volume_type': {'is_public': False}}, **ROOT)
        self.world.post(f'/types/{id}/action', {'addProjectAccess': {'project': 'p1'}}, **ROOT)
        return id

    def volume(self):
        return self.world.create(metadata={'a': 'b'})

    def server(self):
        return self.world.nova.boot()

    def used(self):
        id = self.world.create()
        self.world.attach(id)
        return id

    def errored(self):
        id = self.world.create()
        self.world.act(id, 'os-reset_status', {'status': 'error_extending'}, **ROOT)
        return id

    def imaged(self):
        id = self.world.create()
        self.world.act(id, 'os-set_image_metadata', {'metadata': {'a': 'b'}}, 200)
        return id

    def hosted(self):
        id = self.world.create()
        self.world.act(id, 'os-attach', {'host_name': 'h', 'mountpoint': '/dev/vdb'})
        return id

    def bootable(self):
        id = self.world.create(volume_type='shared')
        self.world.act(id, 'os-set_bootable', {'bootable': True}, 200)
        self.world.attach(id)
        return id

    def snapshot(self):
        self.made['snapped'] = self.world.create()
        wanted = {'volume_id': self.made['snapped'], 'metadata': {'a': 'b'}}
        id = self.world.post('/snapshots', {'snapshot': wanted})['snapshot']['id']
        self.world.run()
        return id

    def unmade(self):
        id = self['snapshot']
        self.world.post(f'/snapshots/{id}/action', {'os-reset_status': {'status': 'creating'}}, **ROOT)
        return id

    def snapped(self):
        self['snapshot']
        return self.made['snapped']

    def _attachment(self, connector=None):
        wanted = {'volume_uuid': self.volume(), 'instance_uuid': self.server(), 'connector': connector}
        return self.world.post('/attachments', {'attachment': wanted}, 200)['attachment']['id']

    def attachment(self):
        return self._attachment()

    def connected(self):
        return self._attachment(CONNECTOR)

    def operation(self):
        self.world.create()
        return self.world.get('/operations')['operations'][0]['id']

    def message(self):
        self.world.create(volume_type='nowhere')
        return self.world.get('/messages')['messages'][0]['id']

    def image(self):
        return self.world.glance.add()


ROOT = {'roles': 'admin', 'project': 'p1'}


@pytest.fixture(scope='module')
def one_world(tmp_path_factory, migrated):
    folder = tmp_path_factory.mktemp('roles')
    shutil.copy(migrated, folder)
    world = World(folder, memory__capacity_gb=10 ** 6, quota__volumes=-1, quota__gigabytes=-1, quota__snapshots=-1)
    for name, spec in ('shared', {'multiattach': '<is> True'}), ('nowhere', {'volume_backend_name': 'nowhere'}):
        world.post('/types', {'volume_type': {'name': name, 'extra_specs': spec}}, 200, **ROOT)
    world.put('/os-quota-sets/p3', {'quota_set': {'volumes': 77}}, **ROOT)
    yield world
    world.service.db.dispose()


@pytest.fixture
def world(one_world):
    """As if new, whatever was tried before."""
    one_world.rules('')
    one_world.put('/os-services/enable', SWITCH, **ROOT)
    one_world.put('/default-types/p1', {'default_type': {'volume_type': '__DEFAULT__'}}, **ROOT)
    with one_world.eager():
        yield one_world


def ask(world, things, what, body, **who):
    method, _, path = things.fill(what).partition(' ')
    return world.call(method, f'/v3{path}', body and json.loads(things.fill(json.dumps(body))), **who)


def gets(world, things, what, body, person) -> bool:
    """Whether the person does; what belongs to others is not there for them."""
    answer = ask(world, things, what, body, **PEOPLE[person])
    owned = OWNED.search(f'{what} {body}')
    if person == 'stranger' and owned and what.startswith('GET') and answer.status == 200:
        return any(str(id).encode() in answer.raw for id in things.made.values())
    if 200 <= answer.status < 300 or answer.status == 400 and NEVER_DONE in (body or ()):
        return True
    elsewhere = PEOPLE[person]['project'] != 'p1'
    assert answer.status == 403 or elsewhere and answer.status == 404, (person, answer.status, answer.raw)
    return False


def name(row):
    return f'{row[0]} {next(iter(row[1]), "")}' if isinstance(row[1], dict) else f'{row[0]} {row[1] or ""}'


@pytest.mark.parametrize('what, body, who, policy', ROWS, ids=map(name, ROWS))
def test_who_gets_what(world, what, body, who, policy):
    things, found = Things(world), set()
    wanted = who - {'stranger'} if OWNED.search(f'{what} {body}') else who
    for person in PEOPLE:
        if gets(world, things, what, body, person):
            found.add(person)
            if not what.startswith('GET'):
                things.forget()
    assert found == wanted
    if policy is None:
        return
    world.rules(f'"{policy}": "!"')
    assert policy in ask(world, things, what, body, **ROOT).message


@pytest.mark.parametrize('what, part, who, policy', PARTS, ids=map(name, PARTS))
def test_who_sees_what(world, what, part, who, policy):
    things = Things(world)
    wanted = who - {'stranger'} if OWNED.search(what) else who
    assert {person for person in PEOPLE if shows(ask(world, things, what, None, **PEOPLE[person]), part)} == wanted
    world.rules(f'"{policy}": "!"')
    assert not shows(ask(world, things, what, None, **ROOT), part)


def shows(answer, part) -> bool:
    return answer.status == 200 and part.encode() in answer.raw


def test_every_address_has_a_row():
    there = {(method, path, action) for path, methods in routes.ROUTES.items() for method, handler in methods.items()
             for action in (handler.handlers if isinstance(handler, Actions) else [None])}
    assert {_address(what, body) for what, body, *_ in ROWS} == there


def _address(what, body):
    method, _, path = re.sub(r'[{}]', '', what).partition('?')[0].partition(' ')
    handler, _, route = Router(routes.ROUTES).find(f'/v3{path}', method)
    return method, route, next(iter(body)) if isinstance(handler, Actions) else None


def test_every_policy_has_a_row():
    assert {rule for *_, rule in ROWS + PARTS} - {None} == {rule.name for rule in policies.list_rules()}
