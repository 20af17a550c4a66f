"""A volume group in memory: what volsvc/drivers/volume_group.py offers, with LVM's own refusals."""
from volsvc.drivers.base import DriverError, NoSpace, VolumeMissing
from volsvc.drivers.volume_group import HasSnapshots, Logical

MIB = 1024 * 1024
EXTENT = 4 * MIB


class FakeGroup:
    """`used` are names that somebody has open.  Thin volumes take no space."""
    name = 'lab'

    def __init__(self, size=1024 * MIB):
        self._size, self._found, self._data, self._pools = size, {}, {}, set()
        self.used = set()

    # -------------------------------------------------------------- what there is

    def volumes(self, *ids):
        return {name: one for name, one in self._found.items()
                if not ids or any(f'-{id}' in name or f'-{id}' in one.origin for id in ids)}

    def space(self):
        return self._size, self._size - sum(one.size for one in self._found.values() if not one.thin), EXTENT

    def pool(self, name):
        return (self._size, 0.0, 0.0) if name in self._pools else None

    def active_size(self, name):
        one = self._found.get(name)
        return len(self._data[name]) if one and one.active else None

    def read(self, name, place, count):
        return bytes(self._data[name][place:place + count])

    # -------------------------------------------------------------- changes

    def create_pool(self, name):
        self._pools.add(name)

    def create(self, name, size, pool=None):
        self._add(name, self._rounded(size), '', pool is not None, bytearray(self._rounded(size)))

    def snapshot(self, name, origin, size=None):
        data = bytearray(self._data[self._get(origin).name])
        room = len(data) + EXTENT if size == 0 else size
        self._add(name, len(data) if size is None else self._rounded(room), origin, size is None, data)

    def rename(self, old, new):
        assert new not in self._found
        self._change(old, name=new)
        self._found[new], self._data[new] = self._found.pop(old), self._data.pop(old)
        for name, one in list(self._found.items()):
            if one.origin == old:
                self._change(name, origin=new)

    def activate(self, name, active=True):
        assert active or name not in self.used
        self._change(name, active=active)

    def split(self, name):
        assert self._get(name).snapshot
        self._change(name, origin='')
        self._data[name] = bytearray(b'set aside').ljust(self._get(name).size, b'\0')

    def remove(self, name):
        if name not in self._found:
            return
        if name in self.used:
            raise DriverError('The volume is in use by somebody else.')
        assert not any(one.origin == name and one.snapshot for one in self._found.values()), 'LVM would remove both'
        del self._found[name], self._data[name]

    def extend(self, name, size):
        one, size = self._get(name), self._rounded(size)
        if one.active and any(other.origin == name and other.snapshot for other in self._found.values()):
            raise HasSnapshots('The volume has snapshots and is in use.')
        if not one.thin and size - one.size > self.space()[1]:
            raise NoSpace('The storage backend is full.')
        self._change(name, size=size)
        self._data[name] = self._data[name].ljust(size, b'\0')

    # -------------------------------------------------------------- data

    def clear(self, name, start, count):
        self._data[self._get(name).name][start:start + count] = bytes(count)

    def write(self, name, place, data):
        self._data[self._get(name).name][place:place + len(data)] = data

    def copy(self, source, target, size, holes):
        self._data[target][:size] = self._data[source][:size]

    # -------------------------------------------------------------- inside

    def _rounded(self, size):
        return -(-size // EXTENT) * EXTENT

    def _add(self, name, size, origin, thin, data):
        assert name not in self._found and not name.startswith(('snapshot', 'pvmove')), name
        if not thin and size > self.space()[1]:
            raise NoSpace('The storage backend is full.')
        self._found[name] = Logical(name, size, origin, thin, True, False, False)
        self._data[name] = data

    def _get(self, name):
        try:
            return self._found[name]
        except KeyError:
            raise VolumeMissing('The storage backend has no such volume.') from None

    def _change(self, name, /, **values):
        one = self._get(name)
        self._found[name] = Logical(**{**one.__dict__, 'open': name in self.used, **values})


class FakeTarget:
    """Who reaches which volume."""

    def __init__(self):
        self.reached = {}

    def start(self):
        """It can be used."""

    def export(self, volume, connector, mode, known=None):
        self.reached.setdefault(volume.id, set()).add(connector['initiator'])
        return {'target_iqn': f'iqn.2010-10.org.openstack:{volume.name}', 'access_mode': mode}

    def unexport(self, volume, connector):
        self.reached.get(volume.id, set()).discard(connector['initiator'])

    def remove(self, volume):
        self.reached.pop(volume.id, None)
