"""history.rst says what the code does: each microversion's entry is read and held against answers, routes, bodies.

Read are sentences of these forms; `…` stands for names in double backticks:
  "A <noun> shows …" and "A <noun> no longer shows …" (for administrators, whom nothing is hidden from),
  "A new <noun> takes …" and "A new <noun> no longer takes …", "Lists of servers take …",
  "New addresses: …", "Gone addresses: …", "Not offered: …" (addresses and actions among the names).
"""
import functools
import pathlib
import re

import pytest

from computesvc.api import routes, server_filters, versions
from computesvc.api.schemas import flavors, keypairs, servers, volume_attachments
from computesvc.api.versions import v
from computesvc.db.models import Migration
from svckit.web.handler import Actions, ByVersion
from svckit.web.microversion import Microversion

TEXT = pathlib.Path(routes.__file__).with_name('history.rst').read_text()
KEY = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBzq8A4c9mH0cQp0i3x9l0b9r8m1n2o3p4q5r6s7t8u9 me@here'
NAMES = re.compile(r'``(.+?)``', re.S)
BODIES = {'server': (servers.CREATE, 'server'), 'flavor': (flavors.CREATE, 'flavor'),
          'key pair': (keypairs.CREATE, 'keypair'), 'attachment': (volume_attachments.CREATE, 'volumeAttachment')}


@functools.cache
def entries() -> dict[int, str]:
    """{minor: its text on one line}."""
    found = {}
    for heading, text in re.findall(r'^(2\.\d.*)\n((?:    .+\n)+)', TEXT, re.M):
        for part in heading.split(', '):
            minor = int(part.removeprefix('2.'))
            assert minor not in found, heading
            found[minor] = ' '.join(text.split())
    return found


def told(pattern: str, **groups) -> list[tuple[int, tuple]]:
    """(minor, groups) of each place in an entry that the pattern matches."""
    return [(minor, match.groups()) for minor, text in entries().items() for match in re.finditer(pattern, text)]


LIST = r'((?:``[^`]+``(?:, | and )?)+)'


def test_every_version_has_an_entry():
    assert sorted(entries()) == list(range(1, 97))


def test_every_version_that_the_code_knows_is_told():
    for name, value in vars(versions).items():
        if isinstance(value, Microversion):
            assert not entries()[value.minor].startswith('Not offered'), name


# ------------------------------------------------------------------ what is shown

SHOWN = [(minor, noun, 'no longer' not in verb, name) for minor, (noun, verb, names) in told(
    r'[Aa]n? ((?:[a-z]+ of an? )?(?:server|flavor|key pair|service|hypervisor|attachment|action|event|migration|limit|'
    rf'quota class|quota|volume))((?: no longer)? shows) {LIST}') for name in NAMES.findall(names)]


@pytest.fixture(scope='module')
def shown(tmp_path_factory):
    """shown(noun, minor) -> the fields that administrators see."""
    from tests.api.computesvc.world import World
    folder = tmp_path_factory.mktemp('history')
    world = World(f'sqlite:///{folder}/db', folder)
    world.post('/os-keypairs', {'keypair': {'name': 'k', 'public_key': KEY}}, 201)
    server_id = world.boot()
    path, asked = f'/servers/{server_id}', world.act(server_id, 'os-stop').headers['X-OpenStack-Request-ID']
    with world.service.db.transaction() as session:
        session.add(Migration(server_id=server_id, type='resize', status='finished', source_host='host1',
                              dest_host='host1', old_flavor_id='42', new_flavor_id='84', user_id='u1',
                              project_id='p1'))
    action = [f'{path}/os-instance-actions/{asked}', 'instanceAction']
    places = {
        'server': [path, 'server'], 'volume of a server': [path, 'server', 'os-extended-volumes:volumes_attached', 0],
        'flavor of a server': [path, 'server', 'flavor'], 'flavor': ['/flavors/42', 'flavor'],
        'key pair': ['/os-keypairs/k', 'keypair'], 'service': ['/os-services', 'services', 0],
        'hypervisor': ['/os-hypervisors/detail', 'hypervisors', 0],
        'attachment': [f'{path}/os-volume_attachments', 'volumeAttachments', 0], 'action': action,
        'event of an action': [*action, 'events', 0], 'migration': ['/os-migrations', 'migrations', 0],
        'limit': ['/limits', 'limits', 'absolute'], 'quota': ['/os-quota-sets/p1', 'quota_set'],
        'quota class': ['/os-quota-class-sets/default', 'quota_class_set']}

    @functools.cache
    def fields(noun, minor):
        where, *steps = places[noun]
        found = world.get(where, version=f'2.{minor}', roles='admin')
        for step in steps:
            found = found[step]
        return set(found)
    yield fields
    world.service.db.dispose()


@pytest.mark.parametrize('minor, noun, more, name', SHOWN)
def test_what_is_shown(shown, minor, noun, more, name):
    with_it, without = (minor, minor - 1) if more else (minor - 1, minor)
    assert name in shown(noun, with_it) and name not in shown(noun, without)


def test_nothing_is_shown_that_is_not_told(shown):
    """From one version to the next, exactly what its entry says changes."""
    for noun in {noun for _, noun, _, _ in SHOWN}:
        for minor in range(2, 97):
            told = {(name, more) for there, of, more, name in SHOWN if (there, of) == (minor, noun)}
            was, now = shown(noun, minor - 1), shown(noun, minor)
            assert {(name, True) for name in now - was} | {(name, False) for name in was - now} == told, (noun, minor)


# ------------------------------------------------------------------ what is taken

def taken(noun, minor) -> set[str]:
    """The properties of a body of this noun."""
    steps, key = BODIES[noun]
    schema = [schema for low, schema in steps if low <= (2, minor)][-1]
    return set(schema['properties'][key]['properties'])


def test_what_is_taken():
    wanted = [(minor, noun, 'no longer' not in verb, name) for minor, (noun, verb, names) in told(
        rf'A new (server|flavor|key pair|attachment)((?: no longer)? takes) {LIST}') for name in NAMES.findall(names)]
    for noun in BODIES:
        for minor in range(2, 97):
            told_here = {(name, more) for there, of, more, name in wanted if (there, of) == (minor, noun)}
            was, now = taken(noun, minor - 1), taken(noun, minor)
            changed = {(name, True) for name in now - was} | {(name, False) for name in was - now}
            assert changed == told_here, (noun, minor)


def test_what_lists_of_servers_take():
    wanted = {name: v(minor) for minor, (names,) in told(rf'Lists of servers take {LIST}')
              for name in NAMES.findall(names)}
    assert wanted == {name: since for name, since in server_filters.OPEN.items() if since > v(1)}


# ------------------------------------------------------------------ addresses and actions

def offered(address: str, version) -> bool:
    """Whether ``/path`` (by any method) or ``METHOD /path`` answers anything but 404."""
    method, _, path = address.rpartition(' ')
    methods = routes.ROUTES.get('/v2.1/{project_id}' + path, {})
    chosen = [handler for name, handler in methods.items() if method in ('', name)]
    return any(not hasattr(handler, 'offered') or handler.offered(version) for handler in chosen)


def test_addresses_that_come_and_go():
    come = {(address, minor) for minor, (names,) in told(rf'New addresses: {LIST}') for address in NAMES.findall(names)}
    go = {(address, minor) for minor, (names,) in told(rf'Gone addresses: {LIST}') for address in NAMES.findall(names)}
    for address, minor in come:
        assert offered(address, v(minor)) and not offered(address, v(minor - 1)), address
    for address, minor in go:
        assert not offered(address, v(minor)) and offered(address, v(minor - 1)), address
    for path, methods in routes._ROUTES.items():
        for method, handler in methods.items():
            if isinstance(handler, ByVersion | Actions):
                continue
            either = {path, f'{method} {path}'}
            if handler.min:
                assert {(one, handler.min.minor) for one in either} & come, (method, path)
            if handler.max:
                assert {(one, handler.max.minor + 1) for one in either} & go, (method, path)


def test_what_is_not_offered():
    text = ' '.join(TEXT.split())
    names = [name for sentence in re.findall(r'Not offered(?: at any version)?: (.*?)\.(?= |$)', text)
             for name in NAMES.findall(sentence)]
    addresses = [name for name in names if name.startswith('/')]
    assert len(addresses) > 20 and {'rebuild', 'rescue', 'suspend'} < set(names)
    for minor in (1, 36, 96):
        assert [address for address in addresses if offered(address, v(minor))] == []
    assert set(names) & set(routes.SERVER_ACTIONS.handlers) == set()


def test_addresses_that_are_told_exist():
    """Those of sentences that offer something."""
    for sentence in re.split(r'(?<=\.) ', ' '.join(TEXT.split())):
        if 'Not offered' in sentence:
            continue
        for address in re.findall(r'``((?:[A-Z]+ )?/[^`]*)``', sentence):
            assert any(offered(address, v(minor)) for minor in range(1, 97)), address
