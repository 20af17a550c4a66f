"""Disks of servers that are files of this host: the root of one booted from an image, ephemeral disks, swap.

A disk is {'name': 'root'|'ephemeral0'…|'swap', 'device': '/dev/vdb', 'size': bytes, 'format': 'ext4'|'swap'|None} and,
once it is made, its 'path'.  Below `state_path`:

servers/<server>/<disk>.raw             as made when the server was
servers/<server>/<move>/<disk>.raw      as pulled from the host the server was on; it stays there
exports/<move>/                         what a peer may pull now: the key, and what is offered by which port

A file that has its name is whole: until then it has '.part' behind it.  No file is ever made smaller.
"""
import contextlib
import json
import logging
import os
import secrets
import shutil

from computesvc.host import nbd, processes
from computesvc.host.base import HostError
from svckit import process
from svckit.operations import Refused
from svckit.turns import Turns

LOG = logging.getLogger(__name__)
FORMATS = {'ext4': ['mkfs.ext4', '-q', '-F', '-L'], 'swap': ['mkswap', '-L']}
FORMAT_SECONDS = 600
KEY_BYTES = 32
PART = '.part'


class LocalDisks:
    """`carrier`: how a disk gets to another host, nbd.Nbd or copies.Copies."""

    def __init__(self, state_path: str, images, carrier):
        self._servers, self._exports = os.path.join(state_path, 'servers'), os.path.join(state_path, 'exports')
        self._images, self._carrier = images, carrier
        self._turns = Turns()

    # ---------------------------------------------------------------- made here

    def make_root(self, server_id: str, image_id: str, size: int) -> dict:
        """The root disk, {'path', 'size'}, holds the image's data and has `size` bytes, or the image's if that is 0.

        Refused if the image is larger.
        """
        path = self._path(self._folder(server_id), 'root')
        if not os.path.exists(path):
            os.makedirs(self._folder(server_id), exist_ok=True)
            part = _part(path)
            held = self._images.download(image_id, part)
            if size and held > size:
                os.unlink(part)
                raise Refused(f"Flavor's disk is too small for requested image. Flavor disk is {size} bytes, "
                              f'image is {held} bytes.')
            process.native(_finish, part, path, size)
        return {'path': path, 'size': os.path.getsize(path)}

    def make_blanks(self, server_id: str, wanted: list[dict]) -> list[dict]:
        """Each of the wanted disks is there, empty and formatted; `wanted` with their paths."""
        return [self._make_blank(self._folder(server_id), disk) for disk in wanted]

    def remove(self, server_id: str, but=()) -> None:
        """Nothing of the server's disks is on this host, nor offered by it, except the files whose paths are in `but`.
        """
        for move_id in self.exports():
            if (_read(self._export_folder(move_id)) or {}).get('server_id') == server_id:
                self.end_export(move_id)
        self._clear(self._folder(server_id), set(but))

    def servers(self) -> list[str]:
        """Ids of those of whose disks anything is on this host."""
        return _entries(self._servers)

    # ---------------------------------------------------------------- to another host

    def export(self, server_id: str, disks: list[dict], move_id: str) -> dict:
        """The disks can be read by the one who has the key, until end_export(): {'exports': […], 'secret_key'}.

        An export is the disk with where it is found ('offer') and the bytes that it really takes ('allocated').
        """
        folder = self._export_folder(move_id)
        os.makedirs(folder, mode=0o700, exist_ok=True)
        key = nbd.read_key(folder)
        if not key:
            key = secrets.token_hex(KEY_BYTES)
            nbd.write_key(folder, key)
        # Before anything is offered: so remove() finds what a death leaves behind.
        _write(folder, {'server_id': server_id, 'exports': []})
        exports = [disk | {'offer': self._carrier.offer(folder, disk['name'], disk['path']),
                           'allocated': os.stat(disk['path']).st_blocks * 512} for disk in disks]
        _write(folder, {'server_id': server_id, 'exports': exports})
        return {'exports': exports, 'secret_key': key}

    def end_export(self, move_id: str) -> None:
        """Nobody can read that move's disks here; no error if nobody could."""
        folder = self._export_folder(move_id)
        self._carrier.withdraw(folder)
        with contextlib.suppress(FileNotFoundError):
            process.native(shutil.rmtree, folder)

    def exports(self) -> list[str]:
        """The moves for which disks are exported here, or half."""
        return _entries(self._exports)

    def resume_exports(self) -> None:
        """What was offered before a restart of the agent or of the host is offered again, at the same ports."""
        for move_id in self.exports():
            folder = self._export_folder(move_id)
            for disk in (_read(folder) or {}).get('exports', ()):
                try:
                    self._carrier.offer(folder, disk['name'], disk['path'], disk['offer'].get('port'))
                except (HostError, OSError) as e:
                    LOG.warning('Disk %s is no longer offered to another host: %s', disk['path'], e)

    # ---------------------------------------------------------------- from another host

    def pull(self, server_id: str, move_id: str, found: dict, wanted: list[dict], progress) -> dict:
        """The wanted disks are here, each with its data and at least its size: {'root_disk', 'local_disks'}.

        `found` is what export() returned at the other host.  A disk that was not there, and swap of another size, is
        made anew.  `progress(percent)` is called now and then; a False from it ends the pull.  Refused if there is no
        room, or if the pull was ended so.
        """
        folder, exports = self._pull_folder(server_id, move_id), {disk['name']: disk for disk in found['exports']}
        with self._turns.take(move_id):
            self._make_folder(folder, found['secret_key'])
            coming = [disk for disk in wanted if _comes(disk, exports.get(disk['name']))]
            missing = [disk for disk in coming if not os.path.exists(self._path(folder, disk['name']))]
            self._check_room(folder, [exports[disk['name']] for disk in missing])
            done, total = 0, sum(exports[disk['name']]['size'] for disk in missing)
            for disk in missing:
                export = exports[disk['name']]
                self._fetch(folder, disk, export['offer'], _share(progress, done, export['size'], total))
                done += export['size']
            made = [disk | {'path': self._path(folder, disk['name'])} if disk in coming
                    else self._make_blank(folder, disk) for disk in wanted]
            shutil.rmtree(_key_folder(folder))
        found = [disk | {'size': os.path.getsize(disk['path'])} for disk in made]
        return {'root_disk': next(({'path': d['path'], 'size': d['size']} for d in found if d['name'] == 'root'), None),
                'local_disks': [disk for disk in found if disk['name'] != 'root']}

    def remove_pulled(self, server_id: str, move_id: str) -> None:
        """Nothing is left of what pull() did, whole or half."""
        folder = self._pull_folder(server_id, move_id)
        self._stop_fetching(folder)             # a pull that still runs fails then, and lets us have its turn
        with self._turns.take(move_id):
            self._clear(folder, set())
        with contextlib.suppress(OSError):      # the server may have other disks here
            os.rmdir(self._folder(server_id))

    def _fetch(self, folder, disk, offer, tell):
        path = self._path(folder, disk['name'])
        self._carrier.fetch(offer, disk['name'], _key_folder(folder), _part(path), tell)
        process.native(_finish, _part(path), path, disk['size'])

    def _check_room(self, folder, exports):
        wanted, system = sum(disk['allocated'] for disk in exports), os.statvfs(folder)
        if wanted > system.f_bavail * system.f_frsize:
            raise Refused('The host has no room for the disks of the server.')

    # ---------------------------------------------------------------- files

    def _make_blank(self, folder, disk):
        path = self._path(folder, disk['name'])
        if not os.path.exists(path):
            os.makedirs(folder, exist_ok=True)
            part = _part(path)
            with open(part, 'wb') as file:
                file.truncate(disk['size'])
            if disk.get('format'):
                _format(part, disk['format'], disk['name'])
            process.native(_finish, part, path, disk['size'])
        return disk | {'path': path}

    def _clear(self, folder, keep):
        self._stop_fetching(folder)
        process.native(_remove_files, folder, keep)

    def _stop_fetching(self, folder):
        for path in _files(folder):
            if path.endswith(PART):
                self._carrier.stop_fetching(path)

    def _make_folder(self, folder, key):
        os.makedirs(_key_folder(folder), mode=0o700, exist_ok=True)
        nbd.write_key(_key_folder(folder), key)

    def _folder(self, server_id):
        return os.path.join(self._servers, server_id)

    def _pull_folder(self, server_id, move_id):
        return os.path.join(self._servers, server_id, move_id)

    def _export_folder(self, move_id):
        return os.path.join(self._exports, move_id)

    @staticmethod
    def _path(folder, name):
        return os.path.join(folder, f'{name}.raw')


def _share(progress, done, size, total):
    """What tells, of one disk's percents, how far all disks are: `done` bytes of `total` came before it."""
    def tell(percent):
        if not progress((done + size * percent / 100) * 100 / (total or 1)):
            raise Refused('Nobody waits for the disks of the server any more.')
    return tell


def _comes(disk, export) -> bool:
    """Whether the disk is fetched: swap of another size is made anew, because its size stands in it."""
    return export is not None and (disk['name'] != 'swap' or disk['size'] == export['size'])


def _part(path):
    return path + PART


def _finish(part, path, size):
    """The file has its name, and is on the disk, with at least `size` bytes."""
    if os.path.getsize(part) < size:
        os.truncate(part, size)
    for what, change in ((part, lambda: os.replace(part, path)), (os.path.dirname(path), lambda: None)):
        handle = os.open(what, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
        change()


def _format(path, format, label):
    log = f'{path}.log'
    try:
        processes.run([*FORMATS[format], label, path], log, FORMAT_SECONDS)
    finally:
        os.unlink(log)


def _key_folder(folder):
    return os.path.join(folder, 'key')


def _files(folder):
    return [os.path.join(here, name) for here, _, files in os.walk(folder) for name in files]


def _remove_files(folder, keep):
    """Every file below `folder` is gone but those to keep, and every folder that is empty then."""
    for path in _files(folder):
        if path not in keep:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(path)
    for here, _, _ in os.walk(folder, topdown=False):
        with contextlib.suppress(OSError):          # what is kept keeps its folder
            os.rmdir(here)


def _entries(folder):
    with contextlib.suppress(FileNotFoundError):
        return sorted(os.listdir(folder))
    return []


def _write(folder, manifest):
    path = os.path.join(folder, 'manifest.json')
    with open(_part(path), 'w') as file:
        json.dump(manifest, file)
    os.replace(_part(path), path)


def _read(folder):
    with contextlib.suppress(FileNotFoundError), open(os.path.join(folder, 'manifest.json')) as file:
        return json.load(file)
    return None
