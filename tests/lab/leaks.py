"""Where a secret could be seen: the commands of all processes, also of those that live for a moment, and files."""
import contextlib
import fnmatch
import pathlib
import threading
import time

PROGRAM = pathlib.Path('/usr/sbin/iscsiadm')
RECORD = pathlib.Path('/run/lab/iscsiadm')
# What takes its place: notes what it was given, then is the program.
RECORDER = f'''#!/bin/sh
echo "iscsiadm $*" >>{RECORD}
exec {PROGRAM}.real "$@"
'''
PAUSE = 0.02        # seconds between two looks at all processes


class Watch:
    """`commands`: every command line that was seen within the `with`, those of iscsiadm without exception."""

    def __enter__(self):
        self.commands = set()
        RECORD.touch()
        PROGRAM.rename(f'{PROGRAM}.real')
        PROGRAM.write_text(RECORDER)
        PROGRAM.chmod(0o755)
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._look)
        self._thread.start()
        return self

    def __exit__(self, *error):
        self._ended.set()
        self._thread.join()
        PROGRAM.with_name('iscsiadm.real').rename(PROGRAM)
        self.commands |= set(RECORD.read_text().splitlines())
        RECORD.unlink()

    def _look(self):
        while not self._ended.is_set():
            for path in pathlib.Path('/proc').glob('[0-9]*/cmdline'):
                with contextlib.suppress(OSError):
                    self.commands.add(path.read_bytes().replace(b'\0', b' ').decode(errors='replace'))
            time.sleep(PAUSE)


def files_with(secret: str, *folders: pathlib.Path, but=()) -> list[pathlib.Path]:
    """Files below the folders that have the secret in them, except those whose names match `but`."""
    found = []
    for path in (path for folder in folders for path in folder.rglob('*') if path.is_file()):
        if any(fnmatch.fnmatch(path.name, pattern) for pattern in but) or path.stat().st_size > 1 << 26:
            continue
        if secret.encode() in path.read_bytes():
            found.append(path)
    return found
