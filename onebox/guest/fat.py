"""Makes a disk image that a PC's BIOS boots: one FAT file system over the whole disk, with syslinux. No mounts."""

import os
import shutil
import subprocess

from onebox.guest.errors import Unavailable

HEADS, SECTORS = 16, 63     # the geometry that a BIOS assumes for a small disk
SECTOR = 512
TOOLS = {'mformat': 'mtools', 'mcopy': 'mtools', 'syslinux': 'syslinux'}


def check_tools():
    """Unavailable naming each Debian package that is missing."""
    missing = sorted({package for tool, package in TOOLS.items() if not shutil.which(tool)})
    if missing:
        raise Unavailable(f'To make the guest image, install: {" ".join(missing)}')


def make(image, size, spare, folder):
    """`image` is a new bootable disk of `size` bytes with the files of `folder`, one of them syslinux.cfg.

    The file system ends `spare` bytes before the disk does.
    """
    with open(image, 'xb') as disk:
        os.truncate(disk.fileno(), size)
    _run('mformat', '-i', image, '-T', (size - spare) // SECTOR, '-h', HEADS, '-s', SECTORS, '-H', 0, '::')
    for path in sorted(folder.iterdir()):
        _run('mcopy', '-i', image, path, f'::{path.name}')
    _run('syslinux', '--install', image)


def _run(*command):
    words = [str(word) for word in command]
    # mtools otherwise refuses geometries it finds odd.
    environment = {**os.environ, 'MTOOLS_SKIP_CHECK': '1'}
    done = subprocess.run(words, capture_output=True, text=True, timeout=60, env=environment)
    if done.returncode:
        raise Unavailable(f'{" ".join(words)} failed: {(done.stderr or done.stdout).strip()}')
