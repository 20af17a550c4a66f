"""What goes wrong while a disk grows, end to end: from the volume API to the guest, over four paths, each fault real.

After every story, whatever happened: every station shows the same size (logical volume, each path, map, guest, API),
all paths are in the map, what the disk held is unchanged, the quota is exact, and no operation is left.
"""
import contextlib
import pathlib

import pytest

from tests.lab import wrecking
from tests.lab.services import PORTALS, LabBox
from tests.lab.sight import GIB, Pattern, Seen
from tests.system.processes import eventually

GROWTH = 'extend_volume'
SLOW = 150          # seconds for what takes ten, in a machine that may share a processor with others


class Volume:
    """The volume that all stories share, each of which takes it further, and the servers of this host that use it."""

    def __init__(self, box):
        self.box, admin = box, box.api('onebox-admin')
        self._flavor = admin.compute('POST', '/flavors', {'flavor': {
            'name': 'small', 'ram': 64, 'vcpus': 1, 'disk': 1}})['flavor']['id']
        kind = admin.volume('POST', '/types', {'volume_type': {
            'name': 'shared', 'extra_specs': {'multiattach': '<is> True'}}})['volume_type']
        self.id = self.user.new_volume(1, volume_type=kind['id'])
        eventually('the volume is made', lambda: self.user.volume_is(self.id, status='available'))
        self.servers, self.size = [], GIB
        self.add_server()
        self.seen = Seen(self.id, box.hypervisor)

    @property
    def user(self):
        """A killed box has other ports when it is back."""
        return self.box.api('onebox')

    def add_server(self) -> str:
        wanted = {'name': 'guest', 'flavorRef': self._flavor, 'networks': 'none',
                  'imageRef': self.user.image_id('tiny')}
        server = self.user.compute('POST', '/servers', {'server': wanted})['server']['id']
        eventually('the server runs', lambda: self.user.server_is(server, 'ACTIVE'), SLOW)
        self.user.attach(server, self.id)
        eventually('it has the volume', lambda: server in self._attached(), SLOW)
        self.servers.append(server)
        return server

    def _attached(self):
        """Servers that have it for good."""
        volume = self.user.volume('GET', f'/volumes/{self.id}')['volume']
        return [one['server_id'] for one in volume['attachments'] if volume['status'] == 'in-use']

    # -- growing

    def grow(self) -> int:
        """One GiB more is asked for; the bytes that shall be."""
        self._before = {server: self._growths(server) for server in self.servers}
        self.ask()
        self.size += GIB
        return self.size

    def ask(self):
        self.request_id = self.user.extend(self.id, self.size // GIB + 1)

    def outcomes(self, server=None) -> list[tuple]:
        """(result, details) of each attempt to have the guest see it since then, newest first; None: under way."""
        server = server or self.servers[0]
        new = [one for one in self._growths(server) if one not in self._before[server]]
        found = []
        for request in new:
            action = self.user.compute('GET', f'/servers/{server}/os-instance-actions/{request}')['instanceAction']
            found += [(event['result'], event['details'] or '') for event in action['events']]
        return found

    def _growths(self, server):
        actions = self.user.compute('GET', f'/servers/{server}/os-instance-actions')['instanceActions']
        return [action['request_id'] for action in actions if action['action'] == GROWTH]

    def ended(self, result):
        """Details of the first attempt that ended so."""
        def look():
            return [details or '-' for one, details in self.outcomes() if one == result]
        return eventually(f'an attempt to grow the disk ends with {result}', look, SLOW)[-1]

    def waits(self, word):
        """Details of an attempt that is under way and says `word` of why it waits."""
        def look():
            return [details for result, details in self.outcomes() if result is None and word in details]
        return eventually(f'an attempt to grow the disk says "{word}"', look, SLOW)[0]

    # -- looking

    def logged(self, *words) -> bool:
        """A warning with all these words in it."""
        lines = (self.box.state / 'onebox.log').read_text().splitlines()
        return any(all(word in line for word in (' WARNING ', self.id, *words)) for line in lines)

    def operations(self, request_id=None) -> list[dict]:
        """Ours, newest first."""
        query = f'&request_id={request_id}' if request_id else ''
        return self.user.volume('GET', f'/operations?volume_id={self.id}{query}')['operations']

    def host_operations(self) -> list[dict]:
        """What the compute service did with the first server, newest first."""
        return self.user.compute('GET', f'/servers/{self.servers[0]}/operations')['operations']

    def sizes(self) -> dict:
        """By who says so."""
        api = self.user.volume('GET', f'/volumes/{self.id}')['volume']['size'] * GIB
        return {'API': api, **self.seen.sizes(*self.servers)}

    def is_whole(self) -> bool:
        """AssertionError, which says where, unless all is as it should be."""
        sizes = self.sizes()
        assert len(set(sizes.values())) == 1 and sizes['API'] == self.size, sizes
        disks = self.seen.disks()
        assert disks.keys() == set(PORTALS) and self.seen.members() == set(disks.values()), disks
        for resource in (f'/volumes/{self.id}', *(f'/servers/{server}' for server in self.servers)):
            ask = self.user.volume if 'volumes' in resource else self.user.compute
            live = [one for one in ask('GET', f'{resource}/operations')['operations'] if one['finished_at'] is None]
            assert not live, live
        assert self.user.volume_is(self.id, status='in-use')
        assert self.user.quota() == self.user.counted()
        return True


@pytest.fixture(scope='module')
def shared(tmp_path_factory):
    box = LabBox(tmp_path_factory.mktemp('faults')).add_tiny_image()
    try:
        volume = Volume(box.start())
        yield volume
        assert box.stop() == 0
    finally:
        box.end()


@pytest.fixture
def volume(shared):
    """The shared one; see the module for what is true after the test."""
    pattern = Pattern(shared.seen)
    yield shared
    eventually('all is as it should be', shared.is_whole, SLOW)
    pattern.check()


# ------------------------------------------------------------------ paths

def test_a_path_goes_down(volume):
    """The others grow, and the map; the answer says which one lags; when it is back it follows by itself."""
    lagging = PORTALS[1]
    disk = volume.seen.disks()[lagging]
    with wrecking.unreachable(lagging):
        size = volume.grow()
        assert f'Path {disk} ' in volume.ended('Success')
        assert any(f'Path {disk} ' in (one['outcome'] or '') for one in volume.host_operations())
        eventually('the operator is told where it leads', lambda: volume.logged(disk, lagging))
        sizes = volume.sizes()
        assert sizes.pop(lagging) < size
        assert set(sizes.values()) == {size}, sizes


def test_all_paths_go_down(volume):
    """The growth waits, which can be seen in both services, and goes on when they are back."""
    before = volume.size
    with wrecking.unreachable(*PORTALS):
        size = volume.grow()
        assert 'No path' in volume.waits('No path')
        operation, = volume.operations(volume.request_id)
        assert operation['state'] == 'done'
        assert [(child['name'], child['state']) for child in operation['children']] == [('tell-server', 'running')]
        assert volume.seen.on_host() == before and volume.seen.on_backend() == size


def test_a_path_shows_a_stale_size(volume):
    """It answers, but wrongly: that is an error which names the sizes, and no guest is told of a size that is not."""
    before, portal = volume.size, PORTALS[2]
    with wrecking.stale(volume.seen.disks()[portal]):
        size = volume.grow()
        details = volume.waits('bytes are wanted')
        assert str(before) in details and str(size) in details
        assert volume.seen.on_host() == volume.seen.in_guest(volume.servers[0]) == before


def test_a_session_ends_and_begins_anew_while_growing(volume):
    """Under another name of its disk, after the disks were asked and before the map has grown."""
    with wrecking.frozen_multipathd():
        size = volume.grow()
        eventually('all disks have grown', lambda: set(volume.seen.paths().values()) == {size})
        wrecking.log_in_again(target(volume), PORTALS[3])


def target(volume) -> str:
    return f'iqn.2010-10.org.openstack:volume-{volume.id}'


# ------------------------------------------------------------------ multipathd

def test_multipathd_is_stopped(volume):
    before = volume.size
    with wrecking.no_multipathd():
        size = volume.grow()
        details = volume.waits('multipathd')
        assert str(size) in details and str(before) in details
        assert volume.seen.on_host() == before


@pytest.mark.parametrize('answer', ['fail', 'timeout'])
def test_multipathd_refuses(volume, answer):
    """It is asked once more, and to read its configuration anew; then the growth fails, with the sizes of all paths."""
    before = volume.size
    with wrecking.FakeMultipathd(answer) as multipathd:
        size = volume.grow()
        details = volume.waits(answer)
        assert str(size) in details and str(before) in details
        heard = [line.split()[0] for line in multipathd.heard]
        assert heard[:3] == ['resize', 'resize', 'reconfigure'], multipathd.heard


# ------------------------------------------------------------------ processes

@contextlib.contextmanager
def killed(volume, name):
    """At the end, when it has come to where it halts: everything is started anew then."""
    volume.box.halts[name].arm()
    try:
        yield
    finally:
        volume.box.kill()
        volume.box.start()


def test_the_worker_is_killed_after_growing_the_volume(volume):
    """The logical volume has grown when it dies, and nobody was told: the next one finds out."""
    before = volume.size
    with killed(volume, 'worker'):
        size = volume.grow()
        eventually('the logical volume has grown', volume.box.halts['worker'].reached)
        assert volume.seen.on_backend() == size and volume.seen.on_host() == before
        assert volume.user.volume_is(volume.id, status='extending', size=before // GIB)


def test_the_agent_is_killed_between_rescan_and_map(volume):
    """multipathd, which sometimes grows a map by itself, is kept from that."""
    before = volume.size
    with wrecking.frozen_multipathd(), killed(volume, 'agent'):
        size = volume.grow()
        eventually('the disks have grown', volume.box.halts['agent'].reached)
        assert set(volume.seen.paths().values()) == {size} and volume.seen.on_host() == before


def test_the_host_starts_anew(volume):
    """Sessions, disks and map are gone, and the volume has grown meanwhile; the server's start brings them back."""
    server = volume.servers[0]
    wrecking.cut_power(volume.box.hypervisor, server)
    volume.user.compute('POST', f'/servers/{server}/action', {'os-stop': None})
    eventually('the server is off', lambda: volume.user.server_is(server, 'SHUTOFF'))
    wrecking.disconnect(volume.seen.device(), target(volume))
    assert volume.seen.disks() == {}
    volume.grow()
    eventually('the volume has grown', lambda: volume.user.volume_is(volume.id, status='in-use',
                                                                    size=volume.size // GIB))
    volume.user.compute('POST', f'/servers/{server}/action', {'os-start': None})
    eventually('the server runs', lambda: volume.user.server_is(server, 'ACTIVE'), SLOW)


# ------------------------------------------------------------------ the volume group

def test_the_volume_group_is_full(volume):
    """Refused as if never asked, with a message for the user; and once there is room, it works."""
    quota = volume.user.quota()
    reported = last_report(volume)
    eventually('the worker has just reported how much is free', lambda: last_report(volume) != reported)
    with wrecking.full_volume_group():
        volume.ask()
        operation, = eventually('the extend has ended', lambda: [
            one for one in volume.operations(volume.request_id) if one['finished_at']])
    assert operation['state'] == 'undone' and 'full' in operation['error']
    assert volume.is_whole() and volume.user.quota() == quota
    messages = volume.user.volume('GET', f'/messages?resource_uuid={volume.id}')['messages']
    assert 'full' in messages[0]['user_message']
    eventually('the worker has reported the room, and it is given', volume.grow)


def test_a_volume_grows_behind_our_back(volume):
    """An operator ran lvextend: that is reported, and nothing shrinks; a later extend takes it in."""
    before = volume.size
    wrecking.run('lvextend', '--size', f'{before + GIB}b', volume.seen.logical)
    eventually('the volume service reports it', lambda: volume.logged(str(before + GIB), 'by hand'))
    assert volume.user.volume_is(volume.id, status='in-use', size=before // GIB)
    assert volume.seen.on_backend() == before + GIB
    volume.grow()


def last_report(volume) -> str:
    services = volume.box.api('onebox-admin').volume('GET', '/os-services?binary=cinder-volume')['services']
    return services[0]['updated_at']


# ------------------------------------------------------------------ two servers

def test_two_servers_of_one_host(volume):
    """Both see the volume grow, and when one gives it up the other keeps it, and sees it grow again."""
    second = volume.add_server()
    size = volume.grow()
    eventually('both see it', volume.is_whole)
    assert {volume.seen.in_guest(server) for server in volume.servers} == {size}
    disks = volume.seen.disks()
    wrecking.cut_power(volume.box.hypervisor, second)           # nothing in it would let go of a disk
    volume.user.compute('DELETE', f'/servers/{second}/os-volume_attachments/{volume.id}')
    volume.servers.remove(second)
    eventually('it is detached', lambda: second not in volume._attached())
    assert volume.seen.disks() == disks and volume.seen.in_guest(volume.servers[0]) == size
    volume.grow()


# ------------------------------------------------------------------ afterwards

def test_no_log_has_a_secret(shared):
    """All that went wrong before was logged, and none of it with a CHAP password."""
    passwords = {path.read_text().strip() for path in
                 pathlib.Path('/sys/kernel/config/target/iscsi').glob('*/tpgt_*/acls/*/auth/password')}
    assert passwords and all(len(password) > 10 for password in passwords)
    for log in (shared.box.folder / 'said', *shared.box.state.rglob('*.log*')):
        with contextlib.suppress(UnicodeDecodeError):
            text = log.read_text()
            assert not [password for password in passwords if password in text], log
