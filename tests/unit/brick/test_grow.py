"""grow() on a host of files: which disks are a volume's, and what is done about each way in which they may differ."""

import functools
import os
import threading

import pytest

import brick
from brick import errors, multipath, privileged
from brick.sysfs import Sysfs
from tests.unit.brick.storage_host import GIB, IQN, WWID, Host, Multipathd

NAMES = ['sda', 'sdb', 'sdc', 'sdd']
PORTS = ['500a098280feeba5', '500a098290feeba5']


@pytest.fixture
def host(tmp_path):
    """Four iSCSI paths under one map, and another volume's disk beside them."""
    host = Host(tmp_path)
    for number, name in enumerate(NAMES, 1):
        host.iscsi(number, name)
    host.iscsi(9, 'sdx', iqn='iqn.2010-10.org.openstack:other', wwid='36001405' + 'f' * 25)
    host.multipath(*NAMES)
    return host


@pytest.fixture
def multipathd(host):
    server = Multipathd(host)
    yield server
    server.stop()


@pytest.fixture
def connector(host, multipathd):
    return connect(host, multipathd, 'iscsi')


def connect(host, multipathd, protocol):
    connector = brick.connector_for(protocol, root=str(host.root), multipath=True)
    connector.clock, connector.multipathd = host.clock, multipathd.ask
    connector.ask = functools.partial(host.grow, tell=multipathd.ask)
    return connector


@pytest.fixture
def data():
    return {'target_portals': [f'10.11.{number}.1:3260' for number in range(1, 5)], 'target_iqns': [IQN] * 4,
            'target_luns': [0] * 4}


def sizes(host):
    return [host.size(name) for name in [*NAMES, 'dm-0']]


def test_all_paths_at_once_then_the_map(host, multipathd, connector, data):
    host.stored = 2 * GIB
    assert connector.grow(data, 2 * GIB) == 2 * GIB
    assert sizes(host) == [2 * GIB] * 5
    assert (host.asked, multipathd.asked) == ([NAMES], ['resize map mpatha'])
    assert host.clock.now == 0
    assert host.size('sdx') == GIB


def test_a_repeat_finds_nothing_to_do(host, multipathd, connector, data):
    host.stored = 2 * GIB
    connector.grow(data, 2 * GIB)
    del host.asked[:], multipathd.asked[:]
    assert connector.grow(data, 2 * GIB) == 2 * GIB
    assert connector.grow(data, GIB) == 2 * GIB
    assert (host.asked, multipathd.asked) == ([], [])


def test_no_wanted_size(host, multipathd, connector, data):
    host.stored = 3 * GIB
    assert connector.grow(data, 0) == 3 * GIB
    assert connector.grow(data, 0) == 3 * GIB
    assert len(host.asked) == 2         # only the storage knows whether there is something to do


def test_half_done_before(host, connector, data):
    """Killed between the rescan and the map, or between two paths."""
    host.stored = 2 * GIB
    for name in NAMES:
        host.set_size(name, 2 * GIB)
    assert connector.grow(data, 2 * GIB) == 2 * GIB
    assert (host.asked, host.size('dm-0')) == ([], 2 * GIB)
    host.stored = 3 * GIB
    host.set_size('sdb', 3 * GIB)
    assert connector.grow(data, 2 * GIB) == 3 * GIB
    assert sizes(host) == [3 * GIB] * 5


def test_storage_shows_it_late(host, connector, data):
    host.clock.at[3.0] = lambda: setattr(host, 'stored', 2 * GIB)
    assert connector.grow(data, 2 * GIB) == 2 * GIB
    assert 3 <= host.clock.now < 5


def test_storage_did_not_grow(host, multipathd, connector, data):
    with pytest.raises(errors.DeviceTooSmall) as caught:
        connector.grow(data, 2 * GIB)
    assert str(caught.value) == (f'mpatha: {2 * GIB} bytes are wanted; paths: ' + ', '.join(
        f'{name} {GIB} running' for name in NAMES) + '.')
    assert not multipathd.asked
    assert 10 <= host.clock.now < 12


@pytest.mark.parametrize('size', [0, 2 * GIB])
def test_a_live_path_keeps_a_stale_size(host, multipathd, connector, data, size):
    host.stored, host.stale = 2 * GIB, {'sdc': GIB}
    with pytest.raises(errors.DeviceTooSmall, match=f'sdb {2 * GIB} running, sdc {GIB} running'):
        connector.grow(data, size)
    assert (host.size('dm-0'), multipathd.asked) == (GIB, [])
    host.stale = {}
    assert connector.grow(data, size) == 2 * GIB


def test_nothing_ever_shrinks(host, multipathd, connector, data):
    """The storage was put back to an older size."""
    host.set_size('dm-0', 2 * GIB)
    for size in 0, GIB:
        with pytest.raises(errors.DeviceTooSmall, match=f'{2 * GIB} bytes are wanted; paths: sda {GIB} running'):
            connector.grow(data, size)
    assert (host.size('dm-0'), multipathd.asked) == (2 * GIB, [])


# ------------------------------------------------------------------------------------------------------- paths down

def test_one_path_down_and_back(host, multipathd, connector, data):
    host.stored = 2 * GIB
    host.set_state('sda', 'transport-offline')
    assert connector.grow(data, 2 * GIB) == 2 * GIB
    assert sizes(host) == [GIB] + [2 * GIB] * 4
    assert host.members() == ['sdb', 'sdc', 'sdd']
    assert multipathd.asked == ['del path sda', 'resize map mpatha']
    assert [(path.name, path.state) for path in connector.paths(data) if path.size < 2 * GIB] == [
        ('sda', 'transport-offline')]
    assert connector.grow(data, 2 * GIB) == 2 * GIB     # still down: nothing more is done
    assert len(multipathd.asked) == 2
    host.set_state('sda', 'running')
    assert connector.grow(data, 2 * GIB) == 2 * GIB
    assert sizes(host) == [2 * GIB] * 5
    assert host.members() == NAMES
    assert host.asked[-1] == ['sda']


def test_a_blocked_path_is_waited_for(host, connector, data):
    """Its session logs in again within seconds, most often."""
    host.stored = 2 * GIB
    host.set_state('sdb', 'blocked')
    host.clock.at[2.0] = lambda: host.set_state('sdb', 'running')
    assert connector.grow(data, 2 * GIB) == 2 * GIB
    assert (sizes(host), host.members()) == ([2 * GIB] * 5, NAMES)
    assert host.clock.now < 5


def test_a_blocked_path_is_not_waited_for_for_ever(host, connector, data):
    host.stored = 2 * GIB
    host.set_state('sdb', 'blocked')
    assert connector.grow(data, 2 * GIB) == 2 * GIB
    assert host.members() == ['sda', 'sdc', 'sdd']


def test_a_path_that_does_not_answer(host, connector, data):
    """The kernel has not noticed yet: it is asked once, since each question waits in the kernel."""
    host.stored, host.silent = 2 * GIB, {'sdd'}
    assert connector.grow(data, 2 * GIB) == 2 * GIB
    assert (host.size('sdd'), host.members()) == (GIB, ['sda', 'sdb', 'sdc'])
    assert sum('sdd' in names for names in host.asked) == 1


def test_a_path_that_answers_late(host, connector, data):
    host.stored, host.silent = 2 * GIB, {'sdd'}
    host.clock.at[1.0] = lambda: host.set_size('sdd', 2 * GIB)
    assert connector.grow(data, 2 * GIB) == 2 * GIB
    assert host.members() == NAMES


def test_a_path_that_refuses_to_answer(host, connector, data):
    """READ CAPACITY failed: the kernel says 0, which multipathd must not take for the map's size."""
    host.stored, host.stale = 2 * GIB, {'sda': 0}
    assert connector.grow(data, 2 * GIB) == 2 * GIB
    assert (host.size('dm-0'), host.members()) == (2 * GIB, ['sdb', 'sdc', 'sdd'])


@pytest.mark.parametrize('state', ['blocked', 'transport-offline', 'offline'])
def test_all_paths_down(host, multipathd, connector, data, state):
    host.stored = 2 * GIB
    for name in NAMES:
        host.set_state(name, state)
    with pytest.raises(errors.PathsDown, match=f'No path to mpatha answers now: sda {GIB} {state}, '):
        connector.grow(data, 2 * GIB)
    assert (host.asked, multipathd.asked, host.members()) == ([], [], NAMES)


def test_all_paths_silent(host, connector, data):
    host.stored, host.silent = 2 * GIB, set(NAMES)
    with pytest.raises(errors.PathsDown):
        connector.grow(data, 2 * GIB)


def test_session_logs_in_again_as_another_disk(host, connector, data):
    """While this waits for the storage; multipathd refuses the newcomer, as its size is not the map's."""
    def again():
        host.leave('dm-0', 'sdb')
        host.logout(2)
        host.iscsi(12, 'sdm', size=2 * GIB)
        host.stored = 2 * GIB

    host.clock.at[1.0] = again
    assert connector.grow(data, 2 * GIB) == 2 * GIB
    assert host.members() == ['sda', 'sdc', 'sdd', 'sdm']


# -------------------------------------------------------------------------------------------------------- multipathd

@pytest.mark.parametrize('answers, asked', [
    (['fail'], ['resize map mpatha'] * 2),
    (['ok'], ['resize map mpatha'] * 2),        # it looked at a path of the old size, or at nothing
    (['timeout', 'fail'], ['resize map mpatha', 'resize map mpatha', 'reconfigure', 'resize map mpatha']),
    (['fail', 'fail', 'ok', 'timeout', 'timeout'],
     ['resize map mpatha', 'resize map mpatha', 'reconfigure'] + ['resize map mpatha'] * 3),
])
def test_multipathd_does_it_later(host, multipathd, connector, data, answers, asked):
    host.stored, multipathd.answers = 2 * GIB, answers
    assert connector.grow(data, 2 * GIB) == 2 * GIB
    assert multipathd.asked == asked
    assert host.size('dm-0') == 2 * GIB


@pytest.mark.parametrize('answers, said, count', [
    (['fail', 'fail', 'ok', 'fail'], 'fail', 4),
    (['ok'] * 4, 'ok, but the size is as it was', 4),
    (['fail', 'fail', 'fail'], 'fail', 3),                      # no reconfiguration either
    (['timeout', 'timeout', 'ok'] + ['timeout'] * 99, 'timeout', 64),
])
def test_multipathd_never_does_it(host, multipathd, connector, data, answers, said, count):
    host.stored, multipathd.answers = 2 * GIB, list(answers)
    with pytest.raises(errors.MultipathError) as caught:
        connector.grow(data, 2 * GIB)
    assert str(caught.value) == (f'The map mpatha has {GIB} bytes, {2 * GIB} are wanted; multipathd: {said}; paths: '
                                 + ', '.join(f'{name} {2 * GIB} running' for name in NAMES) + '.')
    assert len(multipathd.asked) == count


def test_multipathd_is_stopped(host, multipathd, connector, data):
    host.stored = 2 * GIB
    multipathd.stop()
    with pytest.raises(errors.MultipathError, match='does not answer: Connection refused.*sda'):
        connector.grow(data, 2 * GIB)
    assert host.clock.now < 2


def test_no_reconfiguration_while_a_path_lags(host, multipathd, connector, data):
    """It would cost the map, see Multipathd."""
    host.stored, multipathd.answers = 2 * GIB, ['ok', 'fail', 'fail', 'ok']
    host.set_state('sdd', 'offline')
    with pytest.raises(errors.MultipathError):
        connector.grow(data, 2 * GIB)
    assert 'reconfigure' not in multipathd.asked


def test_reply_that_ends_early():
    import socket
    with socket.socket(socket.AF_UNIX) as server:
        server.bind('\0tests/short')
        server.listen()
        thread = threading.Thread(target=lambda: server.accept()[0].close())
        thread.start()
        with pytest.raises(errors.MultipathError, match='multipathd does not answer: .+'):
            multipath.ask(['show', 'status'], address='\0tests/short')
        thread.join()


def test_a_disk_that_hangs_holds_up_no_other(tmp_path, monkeypatch):
    """A write to a pipe that nobody reads, as to the `rescan` of a path that has just died."""
    monkeypatch.setattr(privileged, 'SYS', str(tmp_path / 'sys'))
    for name in 'sda', 'sdb', 'sdc', 'sdd':
        (tmp_path / f'sys/class/block/{name}/device').mkdir(parents=True)
    for name in 'sda', 'sdc':
        os.mkfifo(tmp_path / f'sys/class/block/{name}/device/rescan')
    privileged.context.set_client_mode(False)
    try:
        assert privileged.grow(['sda', 'sdb', 'sdc', 'sdd'], GIB, 'dm-0', 0.3)[:2] == (
            {'sda': 'did not answer', 'sdb': '', 'sdc': 'did not answer', 'sdd': ''}, '')
    finally:
        privileged.context.set_client_mode(True)
        for name in 'sda', 'sdc':
            os.close(os.open(tmp_path / f'sys/class/block/{name}/device/rescan', os.O_RDONLY | os.O_NONBLOCK))


def test_threads_are_used_again_unless_they_hang(tmp_path, monkeypatch):
    monkeypatch.setattr(privileged, 'SYS', str(tmp_path / 'sys'))
    for name in 'sda', 'sdb':
        (tmp_path / f'sys/class/block/{name}/device').mkdir(parents=True)
    hanging = tmp_path / 'sys/class/block/sdb/device/rescan'
    os.mkfifo(hanging)
    monkeypatch.setattr(privileged.context, 'client_mode', False)
    assert privileged.rescan(['sda']) == {'sda': ''}
    before = threading.active_count()
    assert privileged.rescan(['sda']) == privileged.rescan(['sda']) == {'sda': ''}
    assert threading.active_count() == before
    try:
        assert privileged.rescan(['sdb'], 0.1) == {'sdb': 'did not answer'}
        assert privileged.rescan(['sda']) == {'sda': ''}
    finally:
        os.close(os.open(hanging, os.O_RDONLY | os.O_NONBLOCK))


def test_two_at_once(host, multipathd, connector, data):
    host.stored = 2 * GIB
    host.set_state('sda', 'offline')
    found = []
    threads = [threading.Thread(target=lambda: found.append(connector.grow(data, 2 * GIB))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [2 * GIB] * 4
    assert host.members() == ['sdb', 'sdc', 'sdd']


# ----------------------------------------------------------------------------------------------------- which device

def test_without_udevs_links(host, connector, data):
    """They say where to look; the sessions are the truth."""
    for link in (host.root / 'dev/disk/by-path').iterdir():
        link.unlink()
    assert [path.name for path in connector.paths(data)] == NAMES


def test_a_link_to_another_volume_is_not_believed(host, connector, data):
    link = host.root / f'dev/disk/by-path/ip-10.11.1.1:3260-iscsi-{IQN}-lun-0'
    link.unlink()
    link.symlink_to(host.root / 'dev/sdx')
    assert [path.name for path in connector.paths(data)] == NAMES


def test_paths_of_two_volumes(host, connector, data):
    """A LUN was given to another volume while this host looked away: nothing is touched."""
    host.attributes('sys/class/block/sdb/device', wwid='naa.6001405' + 'e' * 25)
    with pytest.raises(errors.BadConnection, match='different volumes: sda is 36001405.*sdb is 36001405ee'):
        connector.grow(data, 2 * GIB)
    assert not host.asked


def test_path_of_the_map_whose_session_is_unknown(host, connector, data):
    """The connection names two portals, the map has four paths: all four must grow."""
    host.stored = 2 * GIB
    two = {key: values[:2] for key, values in data.items()}
    assert connector.grow(two, 2 * GIB) == 2 * GIB
    assert sizes(host) == [2 * GIB] * 5


def test_other_luns_of_the_target(host, connector, data):
    host.iscsi(20, 'sdl', lun=7, wwid='36001405' + 'd' * 25)
    assert [path.name for path in connector.paths(data)] == NAMES
    other = {'target_portal': '10.11.20.1:3260', 'target_iqn': IQN, 'target_lun': 7}
    assert [(path.name, path.portal) for path in connector.paths(other)] == [('sdl', '10.11.20.1:3260')]


def test_not_here(host, connector, data):
    data = data | {'target_iqns': ['iqn.2010-10.org.openstack:gone'] * 4}
    with pytest.raises(errors.DeviceNotFound):
        connector.grow(data, GIB)
    with pytest.raises(errors.DeviceNotFound):
        connector.size(data)
    assert connector.paths(data) == []


def test_device(host, connector, data):
    device = connector.device(data)
    assert (device.wwid, device.map, device.map_name, device.map_size) == (WWID, 'dm-0', 'mpatha', GIB)
    assert device.members == set(NAMES)
    assert connector.size(data) == GIB


def test_single_path_without_a_map(tmp_path, multipathd):
    host = Host(tmp_path / 'other', size=2 * GIB)
    host.iscsi(1, 'sda')
    connector = connect(host, multipathd, 'iscsi')
    data = {'target_portal': '10.11.1.1:3260', 'target_iqn': IQN, 'target_lun': 0}
    assert (connector.grow(data, 2 * GIB), connector.size(data)) == (2 * GIB, 2 * GIB)
    assert not multipathd.asked
    host.set_state('sda', 'blocked')
    with pytest.raises(errors.PathsDown):
        connector.grow(data, 3 * GIB)


@pytest.mark.parametrize('sysfs, udev', [
    ('naa.6001405c23e975482014015a1ce1f1dd', '36001405c23e975482014015a1ce1f1dd'),
    ('eui.0025385571b0021f', '20025385571b0021f'),
    ('t10.ATA     QEMU HARDDISK   QM00005', '1ATA_QEMU_HARDDISK_QM00005'),
    ('', ''),
])
def test_wwid(host, sysfs, udev):
    host.attributes('sys/class/block/sda/device', wwid=sysfs)
    assert Sysfs(str(host.root)).wwid('sda') == udev


# ----------------------------------------------------------------------------------------------------- Fibre Channel

@pytest.mark.parametrize('transport', [True, False])
def test_fibre_channel(tmp_path, multipathd, transport):
    """Two adapters, two ports; one cable is pulled."""
    host = multipathd.host = Host(tmp_path / 'fc', size=2 * GIB)
    host.fibre_channel(6, 'sda', PORTS[0], lun=5, transport=transport)
    host.fibre_channel(7, 'sdb', PORTS[1], lun=5, transport=transport)
    host.fibre_channel(8, 'sdz', '500a0982a0feeba5', lun=5, wwid='3' + '6' * 32)
    host.multipath('sda', 'sdb')
    connector = connect(host, multipathd, 'fibre_channel')
    data = {'target_wwn': PORTS, 'target_lun': 5}
    assert [(path.name, path.portal) for path in connector.paths(data)] == [('sda', PORTS[0]), ('sdb', PORTS[1])]
    assert connector.grow(data, 2 * GIB) == 2 * GIB
    host.stored = 3 * GIB
    host.set_state('sda', 'blocked')
    assert connector.grow(data, 3 * GIB) == 3 * GIB
    assert (host.size('sda'), host.members()) == (2 * GIB, ['sdb'])
    host.set_state('sda', 'running')
    assert connector.grow(data, 3 * GIB) == 3 * GIB
    assert (host.size('sda'), host.members()) == (3 * GIB, ['sda', 'sdb'])


# -------------------------------------------------------------------------------------------------------------- LUKS

def test_mapper_over_the_map(host, multipathd, connector, data):
    """What is asked of cryptsetup's side; tests/lab has the real one."""
    header, asked = 16 << 20, []
    host.mapper('dm-7', 'CRYPT-LUKS2-0123-crypt', 'crypt', ['dm-0'], size=GIB - header)

    def resize(*words):
        asked.append(words)
        host.set_size('dm-7', words[2] - header)
        return words[2] - header

    connector.luks_resize, host.stored = resize, 2 * GIB
    assert connector.grow(data, 2 * GIB, key=b'secret') == 2 * GIB - header
    assert asked == [('crypt', 'dm-0', 2 * GIB, b'secret')]
    assert connector.size(data) == 2 * GIB - header
    connector.luks_resize = lambda *words: 2 * GIB
    with pytest.raises(errors.DeviceTooSmall, match='LUKS mapper dm-7'):
        connector.grow(data, 2 * GIB)
