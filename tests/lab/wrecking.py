"""What goes wrong on a storage host, done to the lab's machine; each as long as its `with` lasts."""
import contextlib
import os
import pathlib
import re
import signal
import socket
import struct
import subprocess
import tempfile
import threading

from tests.system.processes import eventually

MULTIPATHD = '\0/org/kernel/linux/storage/multipathd'
LENGTH = struct.Struct('@N')


def run(*command) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout


# ------------------------------------------------------------------ paths

@contextlib.contextmanager
def unreachable(*addresses):
    """These portals are cut off from the network; sessions notice within seconds, as with a pulled cable."""
    for address in addresses:
        run('ip', 'address', 'del', f'{address}/32', 'dev', 'lo')
    try:
        yield
    finally:
        for address in addresses:
            run('ip', 'address', 'add', f'{address}/32', 'dev', 'lo')


@contextlib.contextmanager
def stale(disk):
    """The disk keeps the size that it shows: asking it again has no effect."""
    with tempfile.NamedTemporaryFile() as deaf:
        place = f'/sys/class/block/{disk}/device/rescan'
        run('mount', '--bind', deaf.name, place)
        try:
            yield
        finally:
            run('umount', place)


def log_in_again(target, address):
    """The session of that portal ends, and a new one begins; the disk has another name then."""
    words = ('iscsiadm', '--mode', 'node', '--targetname', target, '--portal', f'{address}:3260')
    run(*words, '--logout')
    run(*words, '--login')
    run(*words, '--rescan')         # disks are not looked for at a login: os-brick does that itself


def disconnect(device, target):
    """Nothing of the volume is on this host; `device` is its map."""
    run('multipath', '-f', device)
    run('iscsiadm', '--mode', 'node', '--targetname', target, '--logout')
    run('iscsiadm', '--mode', 'node', '--targetname', target, '--op', 'delete')


# ------------------------------------------------------------------ multipathd

@contextlib.contextmanager
def no_multipathd():
    """It has ended."""
    with contextlib.suppress(subprocess.CalledProcessError):
        run('multipathd', 'shutdown')
    eventually('multipathd has ended', lambda: not _multipathd())
    try:
        yield
    finally:
        run('multipathd')
        eventually('multipathd answers', lambda: 'idle' in run('multipathd', 'show', 'daemon'))


@contextlib.contextmanager
def frozen_multipathd():
    """It takes requests and answers none."""
    os.kill(_multipathd(), signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(_multipathd(), signal.SIGCONT)


class FakeMultipathd:
    """Answers every request with one word, in the place of the real one; `heard` is what it was asked."""

    def __init__(self, answer: str):
        self.heard, self._answer = [], answer.encode() + b'\0'

    def __enter__(self):
        self._real = no_multipathd()
        self._real.__enter__()
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.bind(MULTIPATHD)
        self._socket.listen()
        threading.Thread(target=self._serve, daemon=True).start()
        return self

    def __exit__(self, *error):
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._real.__exit__(*error)

    def _serve(self):
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:         # closed
                return
            with connection, contextlib.suppress(OSError):
                self._talk(connection)

    def _talk(self, connection):
        while head := connection.recv(LENGTH.size, socket.MSG_WAITALL):
            asked = connection.recv(LENGTH.unpack(head)[0], socket.MSG_WAITALL)
            self.heard.append(asked.rstrip(b'\0').decode())
            connection.sendall(LENGTH.pack(len(self._answer)) + self._answer)


def _multipathd() -> int | None:
    """Its process id."""
    for stat in pathlib.Path('/proc').glob('[0-9]*/stat'):
        with contextlib.suppress(OSError):
            pid, name, state = re.match(r'(\d+) \((.*)\) (.)', stat.read_text()).groups()
            if name == 'multipathd' and state != 'Z':
                return int(pid)
    return None


# ------------------------------------------------------------------ the rest

@contextlib.contextmanager
def full_volume_group():
    """Somebody else has taken all that was free."""
    run('lvcreate', '--yes', '--wipesignatures', 'n', '--zero', 'n', '--extents', '100%FREE', '--name', 'filler', 'lab')
    try:
        yield
    finally:
        run('lvremove', '--yes', 'lab/filler')


def cut_power(hypervisor: str, server_id: str):
    """The guest stops at once, by itself as far as anybody knows."""
    import libvirt
    with contextlib.closing(libvirt.open(hypervisor)) as connection:
        connection.lookupByUUIDString(server_id).destroy()
