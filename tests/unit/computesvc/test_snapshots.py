"""Copies of files with holes, on the file system that tests run on, with and without what it cannot do."""
import errno
import os

import pytest

from computesvc.host import snapshots

MIB = 1 << 20


def disk(path, size, pieces):
    """A sparse file; `pieces` {offset: bytes}."""
    with open(path, 'wb') as file:
        os.truncate(file.fileno(), size)
        for offset, data in pieces.items():
            file.seek(offset)
            file.write(data)
    return str(path)


DISKS = [(0, {}), (7, {0: b'1234567'}), (8 * MIB, {}), (8 * MIB, {0: b'a' * 5000, 6 * MIB: b'b'}),
         (8 * MIB, {8 * MIB - 1: b'z'}), (3 * MIB + 5, {3 * MIB: b'end'})]


@pytest.mark.parametrize('size, pieces', DISKS)
def test_a_copy_is_the_same_and_takes_no_more_room(tmp_path, size, pieces):
    source, to = disk(tmp_path / 'a', size, pieces), tmp_path / 'b'
    snapshots.copy(source, str(to))
    assert to.read_bytes() == (tmp_path / 'a').read_bytes()
    assert to.stat().st_blocks <= os.stat(source).st_blocks + 8
    assert sorted(path.name for path in tmp_path.iterdir()) == ['a', 'b']


@pytest.mark.parametrize('size, pieces', DISKS)
def test_a_file_system_that_cannot_copy_ranges(tmp_path, monkeypatch, size, pieces):
    def cannot(*_):
        raise OSError(errno.EXDEV, 'as between two file systems')
    monkeypatch.setattr(os, 'copy_file_range', cannot)
    snapshots.copy(disk(tmp_path / 'a', size, pieces), str(tmp_path / 'b'))
    assert (tmp_path / 'b').read_bytes() == (tmp_path / 'a').read_bytes()


def test_what_fails_leaves_no_copy(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, 'full')
    source = disk(tmp_path / 'a', 10, {0: b'x'})
    monkeypatch.setattr(os, 'copy_file_range', full)
    with pytest.raises(OSError):
        snapshots.copy(source, str(tmp_path / 'b'))
    assert not (tmp_path / 'b').exists()


@pytest.mark.parametrize('size, pieces, wanted', [
    (0, {}, 0), (7, {0: b'1'}, 7), (8 * MIB, {}, MIB), (8 * MIB, {0: b'a'}, MIB), (8 * MIB, {MIB: b'a'}, 2 * MIB),
    (8 * MIB, {8 * MIB - 1: b'z'}, 8 * MIB), (3 * MIB + 5, {3 * MIB + 4: b'z'}, 3 * MIB + 5)])
def test_how_much_of_it_is_used(tmp_path, size, pieces, wanted):
    assert snapshots.used(disk(tmp_path / 'a', size, pieces)) == wanted
