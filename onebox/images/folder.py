"""Disk images in a folder: every file with a known ending is an image.

`images.json` beside them holds what a file cannot say itself (id, name,
properties) and what takes long to find out (checksums).  A file that is dropped
into the folder becomes an image without a restart: it is 'saving' until its
checksums are known, and hashed again when it changes.
"""
import datetime
import hashlib
import json
import logging
import pathlib
import threading
import uuid

from onebox import files
from svckit import process

LOG = logging.getLogger(__name__)
FORMATS = {'.raw': 'raw', '.img': 'raw', '.qcow2': 'qcow2', '.vmdk': 'vmdk', '.vdi': 'vdi', '.iso': 'iso'}
INDEX = 'images.json'
_SPACE = uuid.UUID('0d1f3f64-0d38-4f5e-8c4c-0f2f4f6ad3b7')


class Folder:
    """The images in `path`. Reading it is cheap: one stat for each file."""

    def __init__(self, path: pathlib.Path, owner: str | None = None):
        self.path = path
        self._owner = owner
        self._lock = threading.Lock()
        self._hashing = set()
        path.mkdir(parents=True, exist_ok=True)
        index = path / INDEX
        self._known = json.loads(index.read_text()) if index.exists() else {}

    def images(self) -> list[dict]:
        """Every image as it is now, the newest first."""
        with self._lock:
            found = [self._look(path) for path in sorted(self.path.iterdir())
                     if path.suffix in FORMATS and path.is_file()]
        return sorted(found, key=lambda image: (image['created_at'], image['id']), reverse=True)

    def image(self, image_id: str) -> dict | None:
        return next((image for image in self.images() if image['id'] == image_id), None)

    def file_of(self, image: dict) -> pathlib.Path:
        return self.path / image['file_name']

    def describe(self, file_name: str, **fields) -> None:
        """Gives the file's image a name, min_disk or properties, kept from then on."""
        with self._lock:
            entry = self._known.setdefault(file_name, {})
            if any(entry.get(key) != value for key, value in fields.items()):
                entry.update(fields)
                self._save()

    def _look(self, path) -> dict:
        """The file's image; starts to hash it if it is new or has changed."""
        stat = path.stat()
        stamp = [stat.st_size, stat.st_mtime_ns]
        entry = self._known.setdefault(path.name, {})
        active = entry.get('stamp') == stamp
        if not active and path.name not in self._hashing:
            self._hashing.add(path.name)
            process.spawn(self._hash, path, stamp, name=f'hash {path.name}')
        changed = datetime.datetime.fromtimestamp(stat.st_mtime, datetime.UTC).strftime('%Y-%m-%dT%H:%M:%SZ')
        return {
            'id': str(uuid.uuid5(_SPACE, path.name)), 'name': path.stem, 'owner': self._owner,
            'min_disk': 0, 'min_ram': 0, 'properties': {},
            'disk_format': FORMATS[path.suffix], 'container_format': 'bare', 'visibility': 'public',
            'protected': False, 'os_hidden': False, 'tags': [], 'created_at': changed, 'updated_at': changed,
            **{key: value for key, value in entry.items() if key != 'stamp'},
            'status': entry.get('status', 'active') if active else 'saving', 'file_name': path.name,
            'size': stat.st_size if active else None,
            'virtual_size': stat.st_size if FORMATS[path.suffix] == 'raw' else None,
            **({} if active else {'checksum': None, 'os_hash_value': None}),
        }

    def _hash(self, path, stamp):
        """Files under way to the folder change while they are hashed: those are looked at again."""
        try:
            checksum, long_hash = process.native(_checksums, path)
            stat = path.stat()
            with self._lock:
                if [stat.st_size, stat.st_mtime_ns] == stamp:
                    self._known[path.name] |= {'stamp': stamp, 'checksum': checksum,
                                               'os_hash_value': long_hash, 'os_hash_algo': 'sha512'}
                    self._save()
        except OSError as error:
            LOG.warning('Image file %s cannot be read: %s', path.name, error)
        finally:
            with self._lock:
                self._hashing.discard(path.name)

    def _save(self):
        files.write(self.path / INDEX, json.dumps(self._known, indent=1))


def _checksums(path) -> tuple[str, str]:
    """-> (MD5, SHA-512) as hex; MD5 because Glance's `checksum` is one, not for safety."""
    short, long = hashlib.md5(usedforsecurity=False), hashlib.sha512()
    with open(path, 'rb') as file:
        while block := file.read(1 << 20):
            short.update(block)
            long.update(block)
    return short.hexdigest(), long.hexdigest()
