"""The guest's parts: what its image is made of, and how its reports are read. No guest runs here."""

import gzip
import lzma
import shutil
import subprocess

import pytest

from computesvc.host.memory import Memory
from onebox import guest
from onebox.guest import initramfs, modules

VOLUME = '82df59c2-5d07-488a-b123-0123456789ab'


def test_last_complete_report_counts():
    console = ('SeaBIOS\r\ndisks: vda 1024 -\r\n[1.0] virtio_blk: something\r\n'
               'disks: vda 1024 -, vdb 2048 82df59c2-5d07-488a-b\r\ndisks: vda 1024 -, vdb 40')
    assert guest.sizes_seen(console) == {'vda': (1024, ''), 'vdb': (2048, '82df59c2-5d07-488a-b')}
    assert guest.size_seen(console, VOLUME) == 2048
    assert guest.size_seen(console + '96 82df59c2-5d07-488a-b\r\n', VOLUME) == 4096
    assert guest.size_seen(console, 'another') is None


@pytest.mark.parametrize('text', ['', 'disks: \n', 'disks: vda\n', 'disks: vda x y\n', 'no disks: vda 1 -\n'])
def test_no_report(text):
    assert guest.sizes_seen(text) == {}


def test_the_last_whole_line_of_counters_counts():
    console = ('counter on vda (-): found 0\r\ncounters: vda 3\r\ncounters: vda 6, vdb 2\r\n'
               'counter on vda (-): found 6\r\ncounter on vdb (0332e5a8-c4a7-492b-9): found 2\r\ncounters: vda 9, vd')
    assert guest.counters(console) == {'vda': 6, 'vdb': 2}
    assert guest.counters_found(console) == {'vda': [0, 6], 'vdb': [2]}
    assert guest.counters_found(console, '0332e5a8-c4a7-492b-9af0-b883ecd82205') == {'vdb': [2]}
    assert guest.counters_found(console, '1332e5a8-c4a7-492b-9af0-b883ecd82205') == {}
    starts = guest.starts('SeaBIOS\nLinux 6.1 is up after 3.1 s. Processors: 1, memory: 79 MiB.\r\nx\r\n'
                          'SeaBIOS\nLinux 6.1 is up after 4.0 s. Processors: 2, memory: 201 MiB.\r\n')
    assert [guest.machine(start) for start in starts] == [(1, 79), (2, 201)]
    assert guest.starts('') == [] and guest.machine('') is None
    assert guest.counters('') == guest.counters_found('Linux is up') == {}


def test_memory_speaks_the_same_language():
    memory = Memory()
    disk = {'volume_id': VOLUME, 'path': 'memory:x', 'type': 'memory', 'target': 'vda', 'size': 1024}
    memory.define({'id': 's'}, [disk], [])
    memory.power_on('s')
    memory.resize_disk('s', VOLUME, 2048)
    assert guest.size_seen(memory.console_output('s'), VOLUME) == 2048


@pytest.mark.skipif(not shutil.which('cpio'), reason='cpio is not installed')
def test_archive_is_what_cpio_reads(tmp_path):
    archive = initramfs.Archive()
    archive.folder('bin')
    archive.file('bin/tool', b'12345', 0o755)
    archive.file('empty', b'')
    packed = archive.compressed()
    subprocess.run(['cpio', '-id', '--quiet'], cwd=tmp_path, input=gzip.decompress(packed), check=True)
    assert (tmp_path / 'bin/tool').read_bytes() == b'12345'
    assert (tmp_path / 'bin/tool').stat().st_mode & 0o777 == 0o755
    assert (tmp_path / 'empty').read_bytes() == b''


def module(*depends):
    return b'ELF\0license=GPL\0depends=' + ','.join(depends).encode() + b'\0name=x\0'


def test_modules_follow_what_they_need():
    base = 'lib/modules/6.1.0/kernel/drivers'
    files = {
        f'{base}/block/virtio_blk.ko': module('virtio', 'virtio_ring'),
        f'{base}/virtio/virtio.ko': module('virtio-ring'),
        f'{base}/virtio/virtio_ring.ko.xz': lzma.compress(module('')),
        f'{base}/virtio/virtio_gpu.ko': module('drm'),
        'bin/busybox': b'',
    }
    order = modules.in_order(files)
    assert [name for name, _ in order] == ['virtio_ring', 'virtio', 'virtio_blk']
    assert dict(order)['virtio_ring'].startswith(b'ELF')    # unpacked
    assert modules.is_module(f'{base}/virtio/virtio_pci_modern_dev.ko')
    assert not modules.is_module(f'{base}/net/e1000.ko')


def test_image_is_built_once(guest_image):
    assert guest.image() == guest_image
    assert guest_image.stat().st_size == 16 << 20
    assert guest_image.read_bytes()[510:512] == b'\x55\xaa'
