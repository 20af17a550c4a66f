"""A dictionary in a file, changed an entry at a time: one JSON line for each change, the last one of a key counts.

Survives the death of the process, not of the machine. A change costs what its own entry costs, however many there are.
"""

import json
import os

LARGEST = 4 << 20       # bytes after which the file is written anew, with one line for each key


class Journal:
    """`path`: the file; None for a journal that keeps nothing."""

    def __init__(self, path):
        self._path = path
        self._file = None

    def load(self):
        """The entries as they were when the last process ended."""
        entries = {}
        if self._path and os.path.exists(self._path):
            with open(self._path, encoding='utf-8') as stored:
                for line in stored:
                    if line.endswith('\n'):     # else its writer was killed over it
                        entries |= json.loads(line)
        return {key: entry for key, entry in entries.items() if entry is not None}

    def record(self, key, entries):
        """The entry of that key is as in `entries` now, or is gone."""
        if not self._path:
            return
        if self._file is None or self._file.tell() > LARGEST:
            self._write_anew(entries)
        else:
            self._file.write(_line({key: entries.get(key)}))

    def _write_anew(self, entries):
        beside = f'{self._path}.new'
        self._file = open(beside, 'ab', buffering=0)
        self._file.truncate(0)
        for key, entry in entries.items():
            self._file.write(_line({key: entry}))
        os.replace(beside, self._path)


def _line(entry):
    return json.dumps(entry).encode() + b'\n'
