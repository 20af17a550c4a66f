"""What is done before and after os-brick connects or disconnects a disk, with an os-brick that can be made to fail."""

import pytest

import brick
from brick import errors, privileged
from brick.connectors.fibre_channel import FibreChannelConnector
from tests.unit.brick.fabric import LUN, TARGETS, WWID, Fabric

DATA = {'target_wwns': list(TARGETS.values()), 'target_lun': LUN}


class OsBrick:
    """Does to a fabric what os-brick does, unless told to fail."""

    def __init__(self, fabric):
        self.fabric, self.fails, self.maps, self.did = fabric, None, True, []

    def connect(self, properties, keep):
        self.did.append('connect')
        if self.fails:
            if not keep:
                self.fabric.hide()
            raise errors.ConnectFailed(self.fails)
        self.fabric.show_both()
        if self.maps:
            self.fabric.map()

    def disconnect(self, properties, used):
        self.did.append(f'disconnect {used}')
        if self.fails:
            raise errors.DisconnectFailed(self.fails)
        self.fabric.hide()

    def flush(self, name):
        self.did.append(f'flush {name}')
        raise errors.DisconnectFailed(f'{name}: map in use')

    def give_up(self, properties, used, name):
        self.did.append(f'give up {used} {name}')
        self.fabric.hide()


class Connector(FibreChannelConnector):
    def os_brick(self, data):
        return self.through


class Clock:
    now = 0.0

    def monotonic(self):
        return self.now

    def sleep(self, seconds):
        self.now += seconds


@pytest.fixture
def connector(tmp_path):
    privileged.context.set_client_mode(False)
    connector = Connector(str(tmp_path), multipath=True)
    connector.through, connector.clock = OsBrick(Fabric(tmp_path)), Clock()
    yield connector
    privileged.context.set_client_mode(True)


def test_there_and_back(connector):
    device = connector.connect(DATA)
    assert device == {'path': f'/dev/mapper/3{WWID}', 'type': 'block'}
    assert connector.connect(DATA) == device
    connector.disconnect(DATA, device)
    assert connector.through.did == ['connect', 'disconnect /dev/dm-0']
    connector.disconnect(DATA, device)
    assert connector.through.did[-1] == 'disconnect ', 'what an attempt may have left is removed too'


def test_in_use(connector):
    connector.connect(DATA)
    connector.through.fails = 'multipath -f ended with 1: map in use'
    with pytest.raises(errors.DisconnectFailed, match=f'LUN {LUN} of 500a.* could not be disconnected: .*map in use'):
        connector.disconnect(DATA)
    assert connector.paths(DATA)


@pytest.mark.parametrize('fails, did', [
    ('timeout', ['connect', 'disconnect /dev/dm-0', f'give up /dev/dm-0 3{WWID}']),
    (None, ['connect', f'give up /dev/dm-0 3{WWID}'])])
def test_no_path_answers(connector, caplog, fails, did):
    """Whether that is known before or shows while it is flushed."""
    connector.connect(DATA)
    connector.through.fails = fails
    if fails:
        flush = connector.through.disconnect

        def disconnect(properties, used):
            connector.through.fabric.set_state('transport-offline')
            flush(properties, used)
        connector.through.disconnect = disconnect
    else:
        connector.through.fabric.set_state('offline')
    connector.disconnect(DATA)
    assert connector.through.did == did and 'without writing what may be waiting' in caplog.text


def test_a_path_that_may_come_back_is_flushed(connector):
    connector.connect(DATA)
    connector.through.fabric.set_state('blocked')
    connector.disconnect(DATA)
    assert connector.through.did == ['connect', 'disconnect /dev/dm-0']


def test_a_session_that_does_not_end(connector):
    """What was written is on the volume, so nobody is warned."""
    through = connector.through
    connector.connect(DATA)

    def disconnect(properties, used):
        through.fabric.hide()
        raise errors.DisconnectFailed('iscsiadm --logout ended with 1')
    through.disconnect = disconnect
    with pytest.raises(errors.DisconnectFailed, match='could not be disconnected: iscsiadm --logout ended'):
        connector.disconnect(DATA)
    assert through.did == ['connect']


def test_what_is_in_use_survives_a_connect_that_fails(connector, caplog):
    """One more way was looked for, and os-brick failed on it."""
    device = connector.connect(DATA)
    connector.complete = lambda data, device: False
    connector.through.fails = 'multipath -C ended with 1'
    assert connector.connect(DATA) == device
    assert 'stays as it was: multipath -C ended' in caplog.text
    connector.through.fabric.set_state('offline')
    with pytest.raises(errors.ConnectFailed, match='multipath -C'):
        connector.connect(DATA)
    assert connector.paths(DATA)


def test_something_is_left(connector):
    connector.connect(DATA)
    connector.through.fabric.hide = lambda: None
    with pytest.raises(errors.DisconnectFailed, match=f'still here are: sdb, sdc, map 3{WWID}'):
        connector.disconnect(DATA)


def test_a_map_without_disks_is_left(connector, caplog):
    """Somebody still has it open, so what he wrote may be waiting in it. A repeat knows it by its name."""
    through, device = connector.through, connector.connect(DATA)
    hide, through.fabric.hide = through.fabric.hide, lambda: hide('sd*')
    with pytest.raises(errors.DisconnectFailed, match=f'still here are: map 3{WWID}'):
        connector.disconnect(DATA, device)
    assert through.did[-2:] == [f'flush 3{WWID}', f'give up /dev/dm-0 3{WWID}']
    assert f'is removed without writing what may be waiting: 3{WWID}: map in use' in caplog.text
    through.fabric.hide = hide
    connector.disconnect(DATA, device)
    assert through.did[-1] == f'give up  3{WWID}'


def test_a_map_that_is_made_anew(connector, caplog):
    through, device = connector.through, connector.connect(DATA)
    hide, through.fabric.hide = through.fabric.hide, lambda: hide('sd*')
    through.flush = lambda name: hide('dm*')
    connector.disconnect(DATA, device)
    assert not caplog.text
    assert not list((through.fabric.root / 'sys/class/block').iterdir())


def test_no_map_is_made(connector, caplog):
    connector.through.maps = False
    assert connector.connect(DATA)['path'] == f'/dev/disk/by-id/scsi-3{WWID}'
    assert 'multipathd made no map for LUN 5 of 500a098280feeba5: it is used by one path' in caplog.text
    connector.disconnect(DATA)
    with pytest.raises(errors.ConnectFailed, match='no map .*, and multipath is enforced'):
        connector.connect(DATA | {'enforce_multipath': True})
    assert connector.paths(DATA) == []


def test_a_map_that_takes_its_time(connector):
    through, connector.through.maps = connector.through, False
    sleep = connector.clock.sleep

    def later(seconds):
        sleep(seconds)
        if connector.clock.now > 5 and not connector.device(DATA).map:
            through.fabric.map()
    connector.clock.sleep = later
    assert connector.connect(DATA)['path'] == f'/dev/mapper/3{WWID}'


def test_udev_makes_no_link(connector, caplog):
    connector.connect(DATA)
    (connector.through.fabric.root / f'dev/mapper/3{WWID}').unlink()
    assert connector.connect(DATA)['path'] == '/dev/dm-0'
    assert 'udev did not make' in caplog.text


def test_a_link_that_goes_once_more(connector):
    """With the map that had its name before, of which udev hears late."""
    connector.connect(DATA)
    root, sleep, gone = connector.through.fabric.root, connector.clock.sleep, []
    link, events = root / f'dev/mapper/3{WWID}', root / 'run/udev/queue'
    events.parent.mkdir(parents=True)
    events.touch()

    def later(seconds):
        sleep(seconds)
        if not gone:
            gone.append(link.readlink())
            link.unlink()
        elif connector.clock.now > 3 and events.exists():
            link.symlink_to(gone[0])
            events.unlink()
    connector.clock.sleep = later
    assert connector.connect(DATA)['path'] == f'/dev/mapper/3{WWID}'
    assert link.exists() and gone


def test_udev_is_never_done(connector, caplog):
    events = connector.through.fabric.root / 'run/udev/queue'
    events.parent.mkdir(parents=True)
    events.touch()
    assert connector.connect(DATA)['path'] == f'/dev/mapper/3{WWID}'
    assert connector.clock.now < 30 and 'udev did not make' not in caplog.text


def test_gone_again(connector):
    connector.through.connect = lambda properties, keep: None
    with pytest.raises(errors.ConnectFailed, match='went away again'):
        connector.connect(DATA)
    assert isinstance(brick.connector_for('fibre_channel'), FibreChannelConnector)
