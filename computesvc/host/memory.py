"""A hypervisor that only remembers: for tests, for benchmarks and for machines without libvirt.

It keeps the contract of base.py, as the tests show by running the same stories on it and on libvirt. A running server's
disk keeps the size that its device had when it was plugged in or the server was started, until resize_disk() says
otherwise, as with a real guest. Its "guest" writes the sizes it sees to the console in the line format of the small
Linux guest. With a path, everything is kept in a file and a new object goes on where the last one ended.
"""

import contextlib
import functools
import json
import os
import threading
import uuid

from computesvc.host import base
from computesvc.host.faults import Faults
from computesvc.host.journal import Journal

CONSOLE_LINES = 100


def file_size(disk):
    """Return the size of the disk's device, bytes; None where there is no device to ask."""
    try:
        with open(disk['path'], 'rb') as device:
            return device.seek(0, os.SEEK_END)
    except OSError:
        return None


def _breakable(method):
    """Let the faults strike around a method."""
    @functools.wraps(method)
    def call(self, *args, **kwargs):
        self.faults.before(method.__name__)
        result = method(self, *args, **kwargs)
        self.faults.after(method.__name__)
        return result
    return call


class Memory(base.Hypervisor):
    """Servers in a dictionary."""

    def __init__(self, name='memory', faults=None, path=None, extend_attached=True, device_size=file_size):
        self.name = name
        self.faults = faults or Faults()
        self._journal = Journal(path)
        self._extend_attached = extend_attached
        self._device_size = device_size
        self._lock = threading.RLock()
        self._servers = self._journal.load()
        self._boot_id = None

    @_breakable
    def capabilities(self):
        return {
            'hypervisor_type': 'memory', 'hypervisor_version': 1, 'vcpus': 64, 'memory_mb': 262144, 'local_gb': 1024,
            'cpu_info': {}, 'host_ip': '127.0.0.1', 'extend_attached': self._extend_attached,
            'protocols': [*base.PROTOCOLS, 'memory'],
        }

    @_breakable
    def define(self, server, disks, nics):
        with self._change(server['id']):
            known = self._servers.get(server['id'])
            known = known or {'state': base.SHUTDOWN, 'console': [], 'disks': {}}
            plugged = {disk['volume_id']: self._kept(known['disks'].get(disk['volume_id']), disk) or self._plugged(disk)
                       for disk in disks}
            self._servers[server['id']] = known | {'server': server, 'nics': nics, 'disks': plugged}

    @_breakable
    def undefine(self, server_id):
        with self._change(server_id):
            self._servers.pop(server_id, None)

    @_breakable
    def power_on(self, server_id):
        with self._change(server_id):
            server = self._get(server_id)
            if server['state'] in (base.SHUTDOWN, base.CRASHED):
                self._refresh(server)
                self._say(server, 'Linux guest starting')
                server['state'] = base.RUNNING
                self._report(server)
            server['state'] = base.RUNNING

    @_breakable
    def power_off(self, server_id, timeout=60):
        with self._change(server_id):
            server = self._get(server_id)
            if server['state'] != base.SHUTDOWN:
                self._say(server, 'Linux guest powering off')
                server['state'] = base.SHUTDOWN

    @_breakable
    def reboot(self, server_id, hard=False):
        with self._change(server_id):
            self._get(server_id)['state'] = base.SHUTDOWN
            self.power_on.__wrapped__(self, server_id)

    @_breakable
    def pause(self, server_id):
        self._set_live(server_id, base.PAUSED)

    @_breakable
    def unpause(self, server_id):
        self._set_live(server_id, base.RUNNING)

    @_breakable
    def power_state(self, server_id):
        with self._lock:
            server = self._servers.get(server_id)
            return server['state'] if server else base.ABSENT

    @_breakable
    def servers(self):
        with self._lock:
            return {server_id: server['state'] for server_id, server in self._servers.items()}

    @_breakable
    def attach_disk(self, server_id, disk):
        with self._change(server_id):
            server = self._get(server_id)
            if disk['volume_id'] in server['disks']:
                return
            if any(other['target'] == disk['target'] for other in server['disks'].values()):
                raise base.TargetTaken(f'Server {server_id} already has a disk {disk["target"]}.')
            server['disks'][disk['volume_id']] = self._plugged(disk)
            self._report(server)

    @_breakable
    def detach_disk(self, server_id, volume_id):
        with self._change(server_id):
            server = self._servers.get(server_id)
            if server and server['disks'].pop(volume_id, None):
                self._report(server)

    @_breakable
    def disk_users(self, volume_id):
        with self._lock:
            return [server_id for server_id, server in self._servers.items() if volume_id in server['disks']]

    @_breakable
    def disk_size(self, server_id, volume_id):
        with self._lock:
            server = self._get(server_id)
            disk = self._disk(server, volume_id)
            if server['state'] in (base.SHUTDOWN, base.CRASHED):
                return self._device_size(disk) or disk['size']
            return disk['size']

    @_breakable
    def resize_disk(self, server_id, volume_id, size):
        with self._change(server_id):
            server = self._get(server_id)
            disk = self._disk(server, volume_id)
            device = self._device_size(disk)
            if device is not None and device < size:
                raise base.DeviceTooSmall(f'{disk["path"]} has {device} bytes, {size} are wanted.')
            if disk['size'] < size:
                disk['size'] = max(size, device or 0)
                self._report(server)
            return disk['size'] if server['state'] in (base.RUNNING, base.PAUSED) else None

    @_breakable
    def console_output(self, server_id, lines=None):
        with self._lock:
            kept = self._get(server_id)['console']
            kept = kept if lines is None else kept[max(0, len(kept) - lines):]
            return ''.join(line + '\n' for line in kept)

    def boot_id(self):
        return self._boot_id or super().boot_id()

    def lose_power(self):
        """The host goes down with all its guests, and is up again; for tests."""
        for server_id, state in self.servers().items():
            if state != base.SHUTDOWN:
                with self._change(server_id):
                    self._get(server_id)['state'] = base.SHUTDOWN
        self._boot_id = uuid.uuid4().hex

    def crash(self, server_id):
        """The server's guest dies by itself; for tests."""
        with self._change(server_id):
            self._get(server_id)['state'] = base.CRASHED

    def disks(self, server_id):
        """Return volume id -> disk of a server; for tests."""
        with self._lock:
            return json.loads(json.dumps(self._get(server_id)['disks']))

    @contextlib.contextmanager
    def _change(self, server_id):
        """Hold the lock, and remember the server's new state if all went well."""
        with self._lock:
            yield
            self._journal.record(server_id, self._servers)

    def _get(self, server_id):
        try:
            return self._servers[server_id]
        except KeyError:
            raise base.ServerNotFound(server_id) from None

    def _disk(self, server, volume_id):
        try:
            return server['disks'][volume_id]
        except KeyError:
            raise base.DiskNotFound(server['server']['id'], volume_id) from None

    @staticmethod
    def _kept(there, disk):
        """A disk whose guest may not have been shown its size yet is not swapped for itself."""
        return there if there and there.get('path') == disk.get('path') else None

    def _plugged(self, disk):
        return disk | {'size': self._device_size(disk) or disk.get('size') or 0}

    def _refresh(self, server):
        for disk in server['disks'].values():
            disk['size'] = self._device_size(disk) or disk['size']

    def _set_live(self, server_id, state):
        with self._change(server_id):
            server = self._get(server_id)
            if server['state'] not in (base.RUNNING, base.PAUSED):
                raise base.WrongPowerState(f'Server {server_id} is {server["state"]}.')
            server['state'] = state

    def _say(self, server, line):
        server['console'] = [*server['console'], line][-CONSOLE_LINES:]

    def _report(self, server):
        """The guest prints its disks, if it is awake to see them."""
        if server['state'] != base.RUNNING:
            return
        disks = sorted(server['disks'].values(), key=lambda disk: disk['target'])
        seen = (f'{disk["target"]} {disk["size"]} {disk["volume_id"][:20]}' for disk in disks)
        self._say(server, 'disks: ' + ', '.join(seen))
