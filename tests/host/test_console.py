"""Console logs: read from the end, and kept small under a guest that talks for ever."""

import pytest

from computesvc.host.libvirt.console import KEPT, LARGEST, Consoles


@pytest.fixture
def consoles(tmp_path):
    return Consoles(tmp_path / 'consoles')


def test_lines_from_the_end(consoles):
    consoles.path('s').write_bytes(b'one\r\ntwo\nth\xffree\nhalf')
    assert consoles.read('s', lines=2) == 'th�ree\nhalf'
    assert consoles.read('s', lines=0) == ''
    assert consoles.read('s', lines=9).startswith('one')
    assert consoles.read('s').endswith('half')


def test_no_log(consoles):
    assert consoles.read('s') == ''
    consoles.remove('s')


def test_bounded(consoles):
    with consoles.path('s').open('ab', buffering=0) as qemu:
        qemu.write(b'x' * LARGEST + b'\nthe end\n')
        assert len(consoles.read('s')) == KEPT
        consoles.cut()
        assert consoles.path('s').stat().st_size == KEPT
        qemu.write(b'and on\n')
    assert consoles.read('s', lines=2) == 'the end\nand on\n'
    consoles.cut()
    assert consoles.path('s').stat().st_size == KEPT + len('and on\n')
