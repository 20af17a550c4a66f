"""Images that users made: one record and one file of data for each, in a folder of their own.

A record is replaced as a whole, so a crash leaves the old one or the new one.  Data
are written beside their final name, which they get once they are complete and on
the disk; the record that says 'active' comes last.  What a crash left in between is
swept away at the next start: such an image is 'queued' again, as if nothing had been sent.
"""
import datetime
import errno
import hashlib
import json
import logging
import os
import pathlib
import threading

from onebox import files
from svckit import process

LOG = logging.getLogger(__name__)
ROOM = 256 << 20        # bytes that stay free on the disk, for everything else there
BLOCK = 1 << 20


class NoRoom(Exception):
    """The disk is full, or nearly so."""


class Gone(Exception):
    """The image was deleted meanwhile."""


class Busy(Exception):
    """The image has its data already, or is being sent them."""


class Made:
    """Records are kept in memory too; `path` is read once."""

    def __init__(self, path: pathlib.Path, room=ROOM):
        self.path, self._room = path, room
        path.mkdir(mode=0o700, exist_ok=True)
        self._lock = threading.Lock()
        self._records = {}
        self._receiving = set()
        for file in path.glob('*.json'):
            try:
                self._records[file.stem] = json.loads(file.read_text())
            except (ValueError, OSError) as error:          # somebody wrote there: nothing of it is touched
                LOG.error('Image %s cannot be read, and is left alone: %s', file.stem, error)
        self._sweep()

    def images(self) -> list[dict]:
        with self._lock:
            return [self._shown(record) for record in self._records.values()]

    def image(self, image_id: str) -> dict | None:
        with self._lock:
            record = self._records.get(image_id)
            return record and self._shown(record)

    def file_of(self, image: dict) -> pathlib.Path:
        return self.path / f'{image["id"]}.data'

    def add(self, image: dict) -> bool:
        """False, and nothing has changed, if there is an image of that id."""
        with self._lock:
            if image['id'] in self._records:
                return False
            self._write({**image, 'created_at': now(), 'updated_at': now()})
            return True

    def change(self, image_id: str, **fields) -> bool:
        """False if there is no such image."""
        with self._lock:
            record = self._records.get(image_id)
            if record:
                self._write({**record, **fields, 'updated_at': now()})
            return record is not None

    def remove(self, image_id: str) -> None:
        """Neither record nor data are there; whoever reads the data just now still gets them."""
        with self._lock:
            if self._records.pop(image_id, None):
                (self.path / f'{image_id}.json').unlink()
                self._durable()
            (self.path / f'{image_id}.data').unlink(missing_ok=True)

    def receive(self, image_id: str, read) -> None:
        """The image is active with the bytes that `read(size)` gives until it gives none.

        Raises Busy, NoRoom, Gone, or what `read` raised; the image is then as it was.
        """
        with self._lock:
            record = self._records.get(image_id)
            if record is None:
                raise Gone
            if image_id in self._receiving or record['status'] != 'queued':
                raise Busy
            self._receiving.add(image_id)
        part = self.path / f'{image_id}.part'
        try:
            known = self._take_in(part, read)
            self._accept(image_id, part, known)
        finally:
            part.unlink(missing_ok=True)
            with self._lock:
                self._receiving.discard(image_id)

    def _take_in(self, part, read) -> dict:
        short, long = hashlib.md5(usedforsecurity=False), hashlib.sha512()
        with open(part, 'wb') as file:
            while block := read(BLOCK):
                process.native(self._put, file, block, short, long)
            file.truncate()
            file.flush()
            process.native(os.fsync, file.fileno())
            size = file.tell()
        return {'status': 'active', 'size': size, 'checksum': short.hexdigest(), 'os_hash_algo': 'sha512',
                'os_hash_value': long.hexdigest()}

    def _put(self, file, block, short, long):
        """Zeros become holes: most of a disk is empty."""
        short.update(block)
        long.update(block)
        if not block.strip(b'\0'):
            file.seek(len(block), os.SEEK_CUR)
            return
        there = os.fstatvfs(file.fileno())
        if there.f_bavail * there.f_frsize < self._room + len(block):
            raise NoRoom
        try:
            file.write(block)
            file.flush()
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
                raise NoRoom from None
            raise

    def _accept(self, image_id, part, known):
        with self._lock:
            record = self._records.get(image_id)
            if record is None:
                raise Gone
            os.replace(part, self.path / f'{image_id}.data')
            self._durable()
            virtual = known['size'] if record['disk_format'] == 'raw' else None
            self._write({**record, **known, 'virtual_size': virtual, 'updated_at': now()})

    def _shown(self, record):
        return {**record, 'status': 'saving'} if record['id'] in self._receiving else dict(record)

    def _write(self, record):
        files.write(self.path / f'{record["id"]}.json', json.dumps(record, indent=1))
        self._durable()
        self._records[record['id']] = record

    def _durable(self):
        """New names and removals are on the disk."""
        descriptor = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def _sweep(self):
        for file in self.path.iterdir():
            record = self._records.get(file.stem)
            if file.suffix == '.data' and record is None and file.with_suffix('.json').exists():
                continue
            if file.suffix != '.json' and (file.suffix != '.data' or record is None or record['status'] == 'queued'):
                file.unlink()


def now() -> str:
    return datetime.datetime.now(datetime.UTC).strftime('%Y-%m-%dT%H:%M:%SZ')
