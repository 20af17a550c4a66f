"""Reads what the guest says about its disks, and its counters on them, from the text of its serial console."""

import itertools
import re
import typing

_LINE = re.compile(r'^disks: (.*)$')
_COUNTERS = re.compile(r'^counters: ((?:\w+ \d+(?:, )?)+)\r*\n', re.MULTILINE)
_FOUND = re.compile(r'^counter on (\w+) \((\S+)\): found (\d+)\r*\n', re.MULTILINE)
_START = re.compile(r'^Linux .* is up after ', re.MULTILINE)
_MACHINE = re.compile(r'Processors: (\d+), memory: (\d+) MiB')
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


def starts(console: str) -> list[str]:
    """What the guest has said from each time that it came up, until it came up again."""
    begins = [match.start() for match in _START.finditer(console)]
    return [console[begin:end] for begin, end in itertools.pairwise([*begins, len(console)])]


def machine(console: str) -> tuple[int, int] | None:
    """Processors and MiB of memory that the guest's kernel found at its last start; None if it has not come up."""
    found = _MACHINE.findall(console)
    return tuple(int(number) for number in found[-1]) if found else None


def counters(console: str) -> dict[str, int]:
    """The number last shown for each disk by its name, {} if there is none; it was on the disk before it was shown."""
    shown = _COUNTERS.findall(console)
    return {name: int(number) for name, number in (pair.split() for pair in shown[-1].split(', '))} if shown else {}


def counters_found(console: str, volume_id: str = '') -> dict[str, list[int]]:
    """What stood on each disk when counting on it began, for each time that it did; on one volume's if it is named."""
    found = {}
    for name, serial, number in _FOUND.findall(console):
        if not volume_id or serial == volume_id[:_SERIAL]:
            found.setdefault(name, []).append(int(number))
    return found


def _disks(text):
    disks = {}
    for entry in text.split(', '):
        words = entry.split(' ')
        if len(words) != 3 or not words[1].isdigit():
            return {}
        disks[words[0]] = Disk(int(words[1]), '' if words[2] == '-' else words[2])
    return disks
