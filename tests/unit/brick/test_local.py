"""Volumes that are files of this host."""

import os

import pytest

import brick
from brick import errors


@pytest.fixture
def volume(tmp_path):
    path = tmp_path / 'volume-1'
    path.write_bytes(b'')
    os.truncate(path, 1 << 20)
    return path


def test_connect_grow_disconnect(volume):
    connector = brick.connector_for('local')
    data = {'device_path': str(volume), 'access_mode': 'rw'}
    assert connector.connect(data) == {'path': str(volume), 'type': 'file'}
    assert connector.paths(data) == [brick.Path(str(volume), 1 << 20)]
    os.truncate(volume, 2 << 20)
    assert connector.grow(data, 2 << 20) == 2 << 20
    assert connector.grow(data, 1 << 20) == 2 << 20
    connector.disconnect(data, {'path': str(volume), 'type': 'file'})
    assert volume.exists()


def test_stale_size_is_an_error(volume):
    with pytest.raises(errors.DeviceTooSmall, match='has 1048576 bytes, 2097152 are wanted'):
        brick.connector_for('local').grow({'device_path': str(volume)}, 2 << 20)


def test_missing_device(tmp_path):
    data = {'device_path': str(tmp_path / 'gone')}
    connector = brick.connector_for('local')
    with pytest.raises(errors.DeviceNotFound, match='gone: No such file'):
        connector.connect(data)
    with pytest.raises(errors.DeviceNotFound):
        connector.grow(data, 1)
    assert connector.paths(data) == []
    assert brick.extend_volume(data) is None


def test_a_folder_is_no_device(tmp_path):
    with pytest.raises(errors.DeviceNotFound, match='neither a file nor a block device'):
        brick.connector_for('local').connect({'device_path': str(tmp_path)})


def test_root_stands_for_the_machine(volume, tmp_path):
    connector = brick.connector_for('local', root=str(tmp_path))
    assert connector.connect({'device_path': '/volume-1'})['path'] == str(volume)


def test_connection_without_a_path():
    with pytest.raises(errors.BadConnection, match='device_path'):
        brick.connector_for('local').connect({})


def test_os_bricks_signature(volume):
    assert brick.extend_volume({'device_path': str(volume)}) == 1 << 20


def test_unknown_protocol_names_the_known_ones():
    with pytest.raises(errors.UnknownProtocol, match="'tape' volumes; it can connect: .*local, memory"):
        brick.connector_for('tape')


def test_memory_has_no_device():
    connector = brick.connector_for('memory')
    assert connector.connect({'name': 'v'}) == {'path': 'memory:v', 'type': 'memory'}
    assert connector.grow({'name': 'v'}, 5) == 5
