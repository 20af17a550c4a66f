"""Reads what the guest says about its disks from the text of its serial console."""

import re
import typing

_LINE = re.compile(r'^disks: (.*)$')
_SERIAL = 20    # virtio-blk hands on no more characters of a serial number (VIRTIO 1.2, 5.2.6)


class Disk(typing.NamedTuple):
    """A disk as the guest sees it."""

    size: int       # bytes
    serial: str     # first 20 characters of the volume's id, '' if it has none


def sizes_seen(console: str) -> dict[str, Disk]:
    """The disks by name in the guest's last complete report, {} if it has not made one."""
    found = {}
    for line in console.splitlines(keepends=True):
        match = _LINE.match(line.rstrip('\r\n'))
        if match and line.endswith('\n'):
            found = _disks(match[1]) or found
    return found


def size_seen(console: str, volume_id: str) -> int | None:
    """The bytes of a volume's disk in the guest's last report, None if the guest has no such disk."""
    for disk in sizes_seen(console).values():
        if disk.serial and disk.serial == volume_id[:_SERIAL]:
            return disk.size
    return None


def _disks(text):
    disks = {}
    for entry in text.split(', '):
        words = entry.split(' ')
        if len(words) != 3 or not words[1].isdigit():
            return {}
        disks[words[0]] = Disk(int(words[1]), '' if words[2] == '-' else words[2])
    return disks
