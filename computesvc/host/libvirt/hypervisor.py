"""The hypervisor contract (../base.py) by libvirt: puts the parts together and does the waiting."""

import pathlib
import time

from computesvc.host import base
from computesvc.host.libvirt import disks, domain, host, power, xml
from computesvc.host.libvirt.calls import Calls
from computesvc.host.libvirt.connection import Connection
from computesvc.host.libvirt.console import Consoles

SLOW_SECONDS = 120          # starting and ending QEMU, and its first inspection by libvirtd, on a busy machine
BUTTON_SECONDS = 5          # a guest that is still booting misses the power button: press again
RELEASE_SECONDS = 3         # likewise for a disk that it shall let go
LOCK_SECONDS = 10           # somebody else changing a file's length
POLL_SECONDS = 0.1


class Libvirt(base.Hypervisor):
    """Servers are domains of one libvirtd.

    `state_dir`: folder for the consoles' logs. `virt_type`: 'kvm', 'qemu' (emulation) or 'auto'. `call_timeout`:
    seconds after which a call is given up. `detach_timeout`: seconds that a guest has to let go of a disk.
    """

    name = 'libvirt'

    def __init__(self, uri, state_dir, virt_type='auto', machine='pc', call_timeout=30.0, detach_timeout=60.0,
                 host_ip='127.0.0.1', clock=time.monotonic, sleep=time.sleep):
        self._state_dir = pathlib.Path(state_dir)
        self._virt_type = virt_type
        self._machine = machine
        self._detach_timeout = detach_timeout
        self._host_ip = host_ip
        self._clock, self._sleep = clock, sleep
        self._connection = Connection(uri, Calls(call_timeout))
        self._consoles = Consoles(self._state_dir / 'consoles')

    def capabilities(self):
        found = self._connection.ask(host.describe, self._state_dir, timeout=SLOW_SECONDS)
        return found | {'extend_attached': True, 'protocols': base.PROTOCOLS, 'host_ip': self._host_ip}

    def define(self, server, disks_, nics):
        if self._virt_type == 'auto':
            self._virt_type = self._connection.ask(host.best_type, self._machine, timeout=SLOW_SECONDS)
        console = str(self._consoles.path(server['id']))
        description = xml.domain(server, disks.with_cache_modes(disks_), nics, console, self._virt_type, self._machine)
        self._connection.ask(domain.define, description, timeout=SLOW_SECONDS)

    def undefine(self, server_id):
        try:
            self._connection.on(server_id, domain.undefine, timeout=SLOW_SECONDS)
        except base.ServerNotFound:
            pass
        self._consoles.remove(server_id)

    def power_on(self, server_id):
        self._connection.on(server_id, power.turn_on, timeout=SLOW_SECONDS)

    def power_off(self, server_id, timeout=60):
        if not self._ask_to_power_off(server_id, timeout):
            self._connection.on(server_id, power.cut_off, timeout=SLOW_SECONDS)

    def reboot(self, server_id, hard=False):
        self.power_off(server_id, timeout=0 if hard else 60)
        self.power_on(server_id)

    def pause(self, server_id):
        self._connection.on(server_id, power.pause)

    def unpause(self, server_id):
        self._connection.on(server_id, power.unpause)

    def power_state(self, server_id):
        try:
            return self._connection.on(server_id, power.state)
        except base.ServerNotFound:
            return base.ABSENT

    def servers(self):
        return self._connection.ask(domain.states)

    def attach_disk(self, server_id, disk):
        self._connection.on(server_id, disks.plug, disk)

    def detach_disk(self, server_id, volume_id):
        try:
            self._connection.on(server_id, disks.forget, volume_id)
            released = self._repeat(
                act=lambda: self._connection.on(server_id, disks.ask_guest_to_release, volume_id),
                look=lambda: self._connection.on(server_id, disks.is_released, volume_id),
                every=RELEASE_SECONDS, until=self._clock() + self._detach_timeout)
        except base.ServerNotFound:
            return
        if not released:
            raise base.DiskHeld(f'The guest of server {server_id} did not let go of the disk of volume {volume_id} '
                                f'within {self._detach_timeout:g} s.')

    def disk_users(self, volume_id):
        return self._connection.ask(disks.users, volume_id)

    def disk_size(self, server_id, volume_id):
        return self._connection.on(server_id, disks.size, volume_id)

    def resize_disk(self, server_id, volume_id, size):
        until = self._clock() + LOCK_SECONDS
        while True:
            try:
                return self._connection.on(server_id, disks.resize, volume_id, size)
            except disks.LengthLocked:
                if self._clock() > until:
                    raise
            self._sleep(POLL_SECONDS)

    def console_output(self, server_id, lines=None):
        self._connection.on(server_id, power.is_off)    # ServerNotFound
        return self._consoles.read(server_id, lines)

    def housekeeping(self):
        self._consoles.cut()

    def close(self):
        """The connection to libvirtd is closed; guests are not touched."""
        self._connection.close()

    def _ask_to_power_off(self, server_id, timeout):
        """True if the guest went by itself in time. A paused guest hears nothing, so it is not waited for."""
        if timeout <= 0 or self._connection.on(server_id, power.state) == base.PAUSED:
            return False
        return self._repeat(act=lambda: self._connection.on(server_id, power.press_button),
                            look=lambda: self._connection.on(server_id, power.is_off),
                            every=BUTTON_SECONDS, until=self._clock() + timeout)

    def _repeat(self, act, look, every, until):
        """Act, look often, act again each `every` seconds; True as soon as one of them says so, False at `until`."""
        while True:
            if act():
                return True
            again = min(self._clock() + every, until)
            while self._clock() < again:
                self._sleep(POLL_SECONDS)
                if look():
                    return True
            if self._clock() >= until:
                return False
