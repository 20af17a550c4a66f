"""What every driver promises (volsvc/drivers/base.py), told once and run on each."""
import pytest

from svckit.operations import Refused
from volsvc.drivers.base import Image, VolumeMissing

MIB = 1024 * 1024
CONNECTOR = {'host': 'host1', 'ip': '127.0.0.1', 'initiator': 'iqn.1993-08.org.debian:01:host1'}


def image(data, disk_format='raw', id='image-1'):
    return Image(id, disk_format, len(data), lambda: iter([data[:5], data[5:]]))


def test_a_new_volume_has_its_size_and_is_empty(backend, small):
    backend.driver.create(small)
    assert backend.driver.size(small) == small.size
    assert backend.read(small, 4096) == bytes(4096)


def test_making_one_again_leaves_it_as_it_is(backend, small):
    backend.driver.create(small)
    backend.write(small, b'kept')
    backend.again().create(small)
    assert backend.driver.size(small) == small.size
    assert backend.read(small, 4) == b'kept'


def test_growing_keeps_the_data(backend, small):
    backend.driver.create(small)
    backend.write(small, b'kept')
    backend.driver.extend(small, small.size + 12 * MIB)
    assert backend.driver.size(small) == small.size + 12 * MIB
    assert backend.read(small, 4) == b'kept'


def test_growing_again_changes_nothing(backend, small):
    backend.driver.create(small)
    for _ in range(2):
        backend.again().extend(small, 2 * small.size)
        assert backend.driver.size(small) == 2 * small.size


def test_it_never_shrinks(backend, small):
    backend.driver.create(small)
    backend.driver.extend(small, 2 * small.size)
    backend.driver.extend(small, small.size + MIB)
    assert backend.driver.size(small) == 2 * small.size


def test_what_is_not_there(backend, small, other):
    for ask in (lambda: backend.driver.size(small), lambda: backend.driver.extend(small, 2 * small.size),
                lambda: backend.driver.connect(small, CONNECTOR, 'rw'), lambda: backend.driver.clone(other, small)):
        with pytest.raises(VolumeMissing):
            ask()
    with pytest.raises(VolumeMissing):
        backend.driver.size(other)


def test_deleting_and_deleting_again(backend, small, other):
    backend.driver.create(small)
    backend.driver.create(other)
    for _ in range(2):
        backend.driver.delete(small)
        with pytest.raises(VolumeMissing):
            backend.driver.size(small)
    assert backend.driver.size(other) == other.size


def test_a_copy_begins_with_the_source_and_is_no_part_of_it(backend, small, other):
    backend.driver.create(small)
    backend.write(small, b'the source')
    backend.driver.clone(other, small)
    assert backend.driver.size(other) == other.size
    assert backend.read(other, 10) == b'the source'
    backend.write(small, b'THE SOURCE')
    assert backend.read(other, 10) == b'the source'
    assert backend.driver.size(small) == small.size


def test_a_copy_made_before_needs_no_source(backend, small, other):
    backend.driver.create(small)
    backend.driver.clone(other, small)
    if backend.kind != 'memory':
        backend.driver.delete(small)
    backend.driver.clone(other, small)
    assert backend.driver.size(other) == other.size


def test_a_snapshot_holds_what_the_volume_held(backend, small, other, snapshot):
    backend.driver.create(small)
    backend.write(small, b'as it was')
    for _ in range(2):
        backend.again().create_snapshot(snapshot, small)
        backend.write(small, b'AS IT IS ')
    for _ in range(2):
        backend.again().create_from_snapshot(other, snapshot)
    assert backend.driver.size(other) == other.size
    assert backend.read(other, 9) == b'as it was'
    assert backend.read(small, 9) == b'AS IT IS '
    backend.write(other, b'another  ')
    for _ in range(2):
        backend.driver.delete_snapshot(snapshot)
    assert backend.read(other, 9) == b'another  '
    backend.driver.delete(small)
    assert backend.driver.size(other) == other.size


def test_a_snapshot_of_nothing_and_a_volume_of_no_snapshot(backend, small, other, snapshot):
    with pytest.raises(VolumeMissing, match=small.id):
        backend.driver.create_snapshot(snapshot, small)
    with pytest.raises(VolumeMissing, match=snapshot.id):
        backend.driver.create_from_snapshot(other, snapshot)
    backend.driver.delete_snapshot(snapshot)


def test_going_back_to_a_snapshot(backend, small, snapshot):
    backend.driver.create(small)
    backend.write(small, b'as it was')
    backend.driver.create_snapshot(snapshot, small)
    for _ in range(2):
        backend.write(small, b'AS IT IS ')
        backend.again().revert(small, snapshot)
        assert backend.read(small, 9) == b'as it was'
        assert backend.driver.size(small) == small.size
    backend.driver.delete_snapshot(snapshot)
    assert backend.read(small, 9) == b'as it was'
    backend.driver.delete(small)


def test_going_back_to_what_is_not_there(backend, small, snapshot):
    with pytest.raises(VolumeMissing):
        backend.driver.revert(small, snapshot)
    backend.driver.create(small)
    backend.write(small, b'kept')
    with pytest.raises(VolumeMissing, match=snapshot.id):
        backend.driver.revert(small, snapshot)
    assert backend.read(small, 4) == b'kept'


def test_reading(backend, small, snapshot):
    backend.driver.create(small)
    backend.write(small, b'what it holds')
    backend.driver.create_snapshot(snapshot, small)
    for source in (small, snapshot):
        assert 13 <= backend.driver.used(source) <= small.size
        assert backend.driver.read(source, 5, 2) == b'it'
        assert backend.driver.read(source, small.size - 3, 10) == bytes(3)


def test_reading_what_is_not_there(backend, small, snapshot):
    for source in (small, snapshot):
        with pytest.raises(VolumeMissing, match=source.id):
            backend.driver.read(source, 0, 1)


def test_all_sizes_at_once(backend, small, other, snapshot):
    backend.driver.create(small)
    backend.driver.create(other)
    backend.driver.create_snapshot(snapshot, small)
    backend.driver.extend(small, 2 * small.size)
    assert backend.driver.sizes() == {small.id: 2 * small.size, other.id: other.size}


def test_from_an_image(backend, small):
    backend.driver.create_from_image(small, image(b'an operating system'))
    assert backend.driver.size(small) == small.size
    assert backend.read(small, 24) == b'an operating system' + bytes(5)


def test_an_unknown_format_is_refused_and_leaves_nothing(backend, small):
    with pytest.raises(Refused, match='image-1'):
        backend.driver.create_from_image(small, image(b'?' * 100, 'secret-format'))
    with pytest.raises(VolumeMissing):
        backend.driver.size(small)


def test_data_that_stop_coming_leave_nothing(backend, small):
    def broken():
        yield b'half an operating sys'
        raise ConnectionResetError('connection reset')
    with pytest.raises(Exception):  # noqa: B017 - which one is the images service's business
        backend.driver.create_from_image(small, Image('image-1', 'raw', 100, broken))
    with pytest.raises(VolumeMissing):
        backend.driver.size(small)


def test_connecting_and_connecting_again(backend, small):
    backend.driver.create(small)
    first = backend.driver.connect(small, CONNECTOR, 'rw')
    assert first == backend.driver.connect(small, CONNECTOR, 'rw')
    assert first['driver_volume_type'] == backend.driver.protocol
    assert first['data']['access_mode'] == 'rw'
    for _ in range(2):
        backend.driver.disconnect(small, CONNECTOR)


def test_disconnecting_what_is_gone(backend, small):
    backend.driver.disconnect(small, CONNECTOR)


def test_what_it_has(backend, small):
    before = backend.driver.stats()
    assert 0 < before['free_bytes'] <= before['total_bytes']
    backend.driver.create(small)
    if backend.kind == 'memory':
        assert backend.driver.stats()['free_bytes'] == before['free_bytes'] - small.size


def test_a_snapshot_takes_no_more_than_was_said(backend, small, snapshot):
    """However much is written to its volume afterwards; where others use the disk too, nobody can tell."""
    if backend.kind.startswith('file'):
        pytest.skip('The file system is not ours alone.')
    backend.driver.create(small)
    before = backend.driver.stats()['free_bytes']
    backend.driver.create_snapshot(snapshot, small)
    taken = before - backend.driver.stats()['free_bytes']
    said = small.size * backend.driver.snapshot_ratio + backend.driver.snapshot_extra
    assert taken <= said and (backend.driver.thin or taken > said - 2 * max(backend.driver.snapshot_extra, 1))
