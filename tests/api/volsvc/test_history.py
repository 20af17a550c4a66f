"""history.rst says what the code does: each microversion's entry is read and held against answers, routes, bodies.

Read are sentences of these forms; `…` stands for names in double backticks:
  "… of a volume" (a snapshot, a service, an attachment, a type, the summary): shown from then on, for administrators
  "Volumes are filtered by …", "Snapshots are filtered by …"
and addresses: what begins with a slash.
"""
import functools
import pathlib
import re
import shutil

import pytest

from svckit.web.handler import Actions
from svckit.web.microversion import Microversion
from tests.api.volsvc.world import ADMIN, World
from volsvc.api import routes, snapshots, versions, volumes
from volsvc.api.schemas import attachments as attachment_bodies
from volsvc.api.schemas import volumes as volume_bodies

TEXT, _, REST = pathlib.Path(routes.__file__).with_name('history.rst').read_text().partition('At every version')
NAMES = re.compile(r'``(.+?)``', re.S)
LIST = r'((?:``[^`]+``(?:, | and )?)+)'
LAST = 71


def minors(heading) -> list[int]:
    """Of '3.4', '3.37, 3.38' or '3.16 to 3.20'."""
    numbers = [int(number) for number in re.findall(r'3\.(\d+)', heading)]
    return list(range(numbers[0], numbers[1] + 1)) if ' to ' in heading else numbers


@functools.cache
def entries() -> dict[int, str]:
    """{minor: its text on one line}."""
    return {minor: ' '.join(text.split()) for heading, text in re.findall(
        r'^(3\.\d.*)\n((?:    .+\n)+)', TEXT, re.M) for minor in minors(heading)}


def told(pattern) -> list[tuple[int, tuple]]:
    """(minor, groups) of each place in an entry that the pattern matches."""
    return [(minor, match.groups()) for minor, text in entries().items() for match in re.finditer(pattern, text)]


SHOWN = {(minor, noun, name) for minor, (names, noun) in told(
    rf'{LIST} ?of (?:an?|the) (volume|snapshot|service|attachment|type|summary)\b') for name in NAMES.findall(names)
         if not name.startswith('os-')}      # those are actions


def test_every_version_has_one_entry():
    found = [minor for heading in re.findall(r'^(3\.\d.*)\n    ', TEXT, re.M) for minor in minors(heading)]
    assert found == list(range(LAST + 1))


def test_every_version_that_the_code_knows_is_told():
    for name, value in vars(versions).items():
        if isinstance(value, Microversion):
            assert not entries()[value.minor].endswith(': not offered.') or '. ' in entries()[value.minor], name


@pytest.fixture(scope='module')
def shown(tmp_path_factory, migrated):
    """shown(noun, minor) -> the fields that administrators see."""
    folder = tmp_path_factory.mktemp('history')
    shutil.copy(migrated, folder)
    world = World(folder)
    volume = world.create(metadata={'a': 'b'})
    attachment = world.attach(volume)
    snapshot = world.post('/snapshots', {'snapshot': {'volume_id': volume, 'force': True}}, version='3.0')['snapshot']
    places = {'volume': [f'/volumes/{volume}', 'volume'], 'snapshot': [f'/snapshots/{snapshot["id"]}', 'snapshot'],
              'service': ['/os-services?binary=cinder-volume', 'services', 0], 'type': ['/types', 'volume_types', 0],
              'attachment': [f'/attachments/{attachment}', 'attachment'],
              'summary': ['/volumes/summary', 'volume-summary']}

    @functools.cache
    def fields(noun, minor):
        where, *steps = places[noun]
        answer = world.call('GET', f'/v3/p1{where}', version=f'3.{minor}', **ADMIN)
        if answer.status == 404:
            return set()
        found = answer.json
        for step in steps:
            found = found[step]
        return set(found)
    yield fields
    world.service.db.dispose()


@pytest.mark.parametrize('noun, since', [('volume', 0), ('snapshot', 0), ('service', 0), ('type', 0),
                                         ('attachment', 27), ('summary', 12)])
def test_what_is_shown(shown, noun, since):
    """From one version to the next, exactly what its entry says changes."""
    assert shown(noun, since) and not (since and shown(noun, since - 1))
    for minor in range(since + 1, LAST + 1):
        wanted = {name for there, of, name in SHOWN if (there, of) == (minor, noun)}
        assert shown(noun, minor) - shown(noun, minor - 1) == wanted, minor
        assert shown(noun, minor - 1) <= shown(noun, minor), minor


@pytest.mark.parametrize('things, module', [('Volumes', volumes), ('Snapshots', snapshots)])
def test_what_lists_are_filtered_by(things, module):
    wanted = {name: versions.v(minor) for minor, (names,) in told(rf'{things} are filtered by {LIST}')
              for name in NAMES.findall(names)}
    assert wanted == module._SINCE


@pytest.mark.parametrize('steps, key', [(volume_bodies.CREATE, 'volume'), (attachment_bodies.CREATE, 'attachment')])
def test_what_bodies_take(steps, key):
    """What a new one takes from some version on is named there."""
    for (_, before), (low, schema) in zip(steps, steps[1:], strict=False):
        new = set(schema['properties'][key]['properties']) - set(before['properties'][key]['properties'])
        assert new <= set(NAMES.findall(entries()[low.minor])), low


def test_addresses():
    """A route that is not there from the first version on is told where it comes, and comes there."""
    for path, methods in routes._BELOW_A_PROJECT.items():
        for handler in methods.values():
            if isinstance(handler, Actions) or not handler.min:
                continue
            names = [name for name in NAMES.findall(entries()[handler.min.minor]) if name.startswith('/')]
            assert any(path.startswith(name) for name in names), path
            assert handler.offered(handler.min) and not handler.offered(versions.v(handler.min.minor - 1))
    for minor, text in entries().items():
        for name in NAMES.findall(text):
            assert not name.startswith('/') or any(_is_of(name, path) for path in routes._BELOW_A_PROJECT), minor


def test_what_is_not_offered(world):
    volume = world.create()
    listed = NAMES.findall(REST.partition('\nNot offered\n')[2])
    addresses = [name for name in listed if name.startswith('/')]
    for address in addresses:
        for method in 'GET', 'POST':
            answer = world.call(method, f'/v3/p1{address}', {} if method == 'POST' else None, **ADMIN)
            assert (answer.status, answer.fault[0]) == (404, 'itemNotFound'), address
    for action in set(listed) - set(addresses):
        answer = world.call('POST', f'/v3/p1/volumes/{volume}/action', {action: {}}, **ADMIN)
        assert (answer.status, answer.fault[0]) == (400, 'badRequest'), action


def _is_of(address, path) -> bool:
    """Whether it is the route's, or what some routes' paths begin with."""
    return path.startswith(address) or bool(re.fullmatch(re.sub(r'{\w+}', '[^/]+', path), address))
