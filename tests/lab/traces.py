"""What an attached volume leaves on its host and on its target's: devices, maps, sessions, records, targets.

    python -m tests.lab.traces      prints it as JSON: for a machine that one cannot read the /sys of
"""
import json
import os
import pathlib
import subprocess

SYS = pathlib.Path('/sys')
TARGETS = SYS / 'kernel/config/target'


def seen() -> dict[str, set]:
    """Everything of the kind that there is now, by who knows of it."""
    blocks = [path.name for path in SYS.glob('block/*')]
    return {
        'SCSI disks': {name for name in blocks if name.startswith('sd')},
        'maps': {(path / 'dm/name').read_text().strip() for path in SYS.glob('block/dm-*')},
        '/dev/mapper': _names('/dev/mapper'),
        '/dev/disk': {f'{folder}/{name}' for folder in _names('/dev/disk') for name in _names(f'/dev/disk/{folder}')},
        'sessions': {path.read_text().strip() for path in SYS.glob('class/iscsi_session/*/targetname')},
        'iscsiadm sessions': _lines('iscsiadm', '--mode', 'session'),
        'iscsiadm records': _lines('iscsiadm', '--mode', 'node'),
        'multipathd maps': _lines('multipathd', 'show', 'maps', 'raw', 'format', '%w'),
        'multipathd paths': _lines('multipathd', 'show', 'paths', 'raw', 'format', '%d %w'),
        'targets': {path.name for path in TARGETS.glob('iscsi/iqn.*')},
        'target storage': {path.name for path in TARGETS.glob('core/*/*') if path.is_dir()},
    }


def same(before: dict) -> bool:
    """True if it is as before; AssertionError, which says what came and what went, if not."""
    now = seen()
    changed = {kind: {'more': sorted(now[kind] - names), 'fewer': sorted(names - now[kind])}
               for kind, names in before.items() if now[kind] != names}
    assert not changed, changed
    return True


def _names(folder) -> set:
    return set(os.listdir(folder)) if os.path.isdir(folder) else set()


def _lines(*command) -> set:
    """Of what it prints; nothing if it says that there is nothing, which for iscsiadm is an error."""
    done = subprocess.run(command, capture_output=True, text=True, timeout=20)
    return set(done.stdout.splitlines())


if __name__ == '__main__':
    print(json.dumps({kind: sorted(names) for kind, names in seen().items()}))
