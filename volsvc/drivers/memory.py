"""Volumes that are only remembered: for tests, and to measure everything but storage.

Data are kept as far as they were written, so that what a volume holds can be
compared.  Nothing survives the process.
"""
import threading

from svckit.operations import Refused
from volsvc.drivers.base import Driver, NoSpace, Snapshot, VolumeMissing

GIB = 1024 ** 3


class MemoryDriver(Driver):
    protocol = 'memory'

    def __init__(self, name, options):
        super().__init__(name, options)
        self.online_extend = options.online_extend
        self.volumes: dict[str, dict] = {}           # id -> {'size', 'data', 'connected': {host, …}}
        self.snapshots: dict[str, bytes] = {}        # id -> data
        self._whole: dict[str, int] = {}             # id of a snapshot -> bytes that its volume had
        self._lock = threading.Lock()

    def create(self, volume):
        with self._lock:
            if volume.id not in self.volumes:
                self._take(volume.size)
                self.volumes[volume.id] = {'size': volume.size, 'data': b'', 'connected': []}

    def create_from_image(self, volume, image):
        if image.disk_format != 'raw':
            raise Refused(f'Image {image.id} is {image.disk_format}; this backend only takes raw ones.')
        data = b''.join(image.chunks())
        self.create(volume)
        self._get(volume)['data'] = data

    def clone(self, volume, source):
        data = self._get(source)['data']
        self.create(volume)
        self._get(volume)['data'] = data

    def create_snapshot(self, snapshot, volume):
        with self._lock:
            if snapshot.id not in self.snapshots:
                data = self._get(volume)['data']
                self._take(snapshot.size)
                self.snapshots[snapshot.id], self._whole[snapshot.id] = data, snapshot.size

    def delete_snapshot(self, snapshot):
        self.snapshots.pop(snapshot.id, None)
        self._whole.pop(snapshot.id, None)

    def create_from_snapshot(self, volume, snapshot):
        if volume.id in self.volumes:
            return
        data = self._held(snapshot)
        self.create(volume)
        self._get(volume)['data'] = data

    def revert(self, volume, snapshot):
        self._get(volume)['data'] = self._held(snapshot)

    def read(self, source, place, count):
        return self._held(source)[place:place + count].ljust(min(count, source.size - place), b'\0')

    def used(self, source):
        return len(self._held(source))

    def extend(self, volume, size):
        with self._lock:
            kept = self._get(volume)
            if kept['size'] < size:
                self._take(size - kept['size'])
                kept['size'] = size

    def size(self, volume):
        return self._get(volume)['size']

    def sizes(self):
        return {id: kept['size'] for id, kept in list(self.volumes.items())}

    def delete(self, volume):
        with self._lock:
            self.volumes.pop(volume.id, None)

    def connect(self, volume, connector, mode):
        host = connector.get('host', '')
        kept = self._get(volume)
        if host not in kept['connected']:
            kept['connected'].append(host)
        return {'driver_volume_type': 'memory',
                'data': {'name': volume.name, 'volume_id': volume.id, 'access_mode': mode, 'encrypted': False}}

    def disconnect(self, volume, connector):
        kept = self.volumes.get(volume.id)
        if kept and connector.get('host', '') in kept['connected']:
            kept['connected'].remove(connector.get('host', ''))

    def stats(self):
        total = self.options.capacity_gb * GIB
        return {'total_bytes': total, 'free_bytes': total - self._used()}

    def _used(self):
        return (sum(kept['size'] for kept in list(self.volumes.values()))
                + sum(self._whole.get(id, 0) for id in list(self.snapshots)))

    def _take(self, more):
        total = self.options.capacity_gb * GIB
        if self._used() + more > total:
            raise NoSpace(f'The storage backend is full: {more} bytes more do not fit.')

    def _held(self, source) -> bytes:
        if not isinstance(source, Snapshot):
            return self._get(source)['data']
        if source.id not in self.snapshots:
            raise VolumeMissing(f'The storage backend has no snapshot {source.id}.')
        return self.snapshots[source.id]

    def _get(self, volume):
        try:
            return self.volumes[volume.id]
        except KeyError:
            raise VolumeMissing(f'The storage backend has no volume {volume.id}.') from None
