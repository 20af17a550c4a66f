"""Picks the kernel modules that the guest needs, in an order in which they can be loaded."""

import lzma
import posixpath
import re
import subprocess

from onebox.guest.errors import Unavailable

WANTED = ('virtio_pci', 'virtio_blk', 'evdev', 'button')
_FILE = re.compile(r'lib/modules/.*/kernel/.*/([^/]+)\.ko(\.xz|\.zst)?$')


def is_module(path):
    """True for a module's path that may be needed: what we want and what virtio's modules depend on."""
    match = _FILE.match(path)
    return bool(match) and (_name(match[1]) in WANTED or _name(match[1]).startswith('virtio'))


def in_order(files):
    """[(name, contents)] of the wanted modules and all they depend on, dependencies first.

    A module that no package has is built into the kernel (Ubuntu's virtio).
    """
    known = {_name(_FILE.match(path)[1]): (path, data) for path, data in files.items() if _FILE.match(path)}
    done = {}

    def add(name):
        if name in done or name not in known:
            return
        contents = _unpacked(*known[name])
        for needed in _depends(contents):
            add(needed)
        done[name] = contents

    for name in WANTED:
        add(name)
    return list(done.items())


def _name(text):
    """Files are spelled with '-' or '_', the kernel takes both for the same."""
    return text.replace('-', '_')


def _depends(contents):
    """The names in a module's `depends` entry (section .modinfo: NUL-terminated key=value)."""
    match = re.search(rb'\0depends=([^\0]*)\0', contents)
    return [_name(name) for name in match[1].decode().split(',') if name] if match else []


def _unpacked(path, data):
    suffix = posixpath.splitext(path)[1]
    if suffix == '.xz':
        return lzma.decompress(data)
    if suffix != '.zst':
        return data
    try:
        return subprocess.run(['zstd', '-dc'], input=data, capture_output=True, check=True, timeout=60).stdout
    except (OSError, subprocess.SubprocessError) as error:
        raise Unavailable(f'{path} cannot be unpacked; is zstd installed? ({error})') from error
