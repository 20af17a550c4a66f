"""The logs of serial consoles. QEMU appends to them for as long as a guest talks, so they are cut now and then."""

import pathlib

KEPT = 256 * 1024       # bytes that a reader gets at most, and that stay when a log is cut
LARGEST = 1024 * 1024


class Consoles:
    """One folder with a file for each server."""

    def __init__(self, folder):
        self._folder = pathlib.Path(folder)
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def path(self, server_id):
        """Where the server's console is written to."""
        return self._folder / f'{server_id}.log'

    def read(self, server_id, lines=None):
        """The last lines, all that are kept if None; '' if the server never ran."""
        text = self._tail(self.path(server_id)).decode(errors='replace')
        if lines is None:
            return text
        return ''.join(text.splitlines(keepends=True)[-lines:]) if lines > 0 else ''

    def remove(self, server_id):
        """There is no log."""
        self.path(server_id).unlink(missing_ok=True)

    def cut(self):
        """No log is larger than LARGEST. QEMU opened them for appending, so a file may be shortened under it."""
        for path in self._folder.glob('*.log'):
            if path.stat().st_size > LARGEST:
                tail = self._tail(path)
                with path.open('r+b') as log:
                    log.truncate()
                with path.open('ab') as log:
                    log.write(tail)

    def _tail(self, path):
        try:
            with path.open('rb') as log:
                log.seek(max(0, path.stat().st_size - KEPT))
                return log.read(KEPT)
        except FileNotFoundError:
            return b''
