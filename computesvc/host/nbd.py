"""Disks between hosts over NBD: qemu-nbd offers one, read-only; qemu-img fetches it.

Each offer has a folder of its own with a key that is made for it (TLS with a pre-shared key): whoever does not have
the key gets not even a list of what there is.  The key is only ever in that file, mode 0600, never among a program's
arguments.  Both programs are known by paths in their arguments, so whoever comes later finds and ends them.

https://www.qemu.org/docs/master/tools/qemu-nbd.html, https://www.qemu.org/docs/master/system/tls.html
"""
import logging
import os
import re
import socket
import time

from computesvc.host import processes
from computesvc.host.base import HostError
from svckit.operations import Refused

LOG = logging.getLogger(__name__)
USER = 'move'               # whom the key is for: NBD wants a name
READERS = 8                 # connections at a time: one that died unnoticed does not keep its successor out
START_SECONDS = 30
SILENCE_SECONDS = 60        # without a byte: the other host is gone, or the network to it
LONGEST = 7 * 86400.0       # seconds
CIPHERS = 'NORMAL:-CIPHER-ALL:+AES-128-GCM:+AES-256-GCM:+CHACHA20-POLY1305'
"""In this order. Left to itself GnuTLS takes the last, as AES-256-GCM does not go with such keys: 3.3 s of processor
time for 1 GiB at each end instead of 0.4 (GnuTLS 3.7, with AES-NI)."""
COUNT = re.compile(rb'\((\d+\.\d+)/100%\)')


class Nbd:
    """`address`: where this host is reached by its peers; `ports`: those that may be used, as a range."""

    def __init__(self, address: str, ports: range, silence=SILENCE_SECONDS, clock=time.monotonic):
        self._address, self._ports = address, ports
        self._silence, self._clock = silence, clock

    def offer(self, folder: str, name: str, path: str, port: int | None = None) -> dict:
        """The file is offered under that name, at `port` if it must be that one: {'host', 'port'}.

        To be ended by withdraw(), or with the machine; repeated, it is the same offer.
        """
        mark = _mark(folder, name)
        for words in processes.find('qemu-nbd', mark).values():
            return {'host': self._address, 'port': _port(words)}
        for one in [port] if port else self._free_ports():
            try:
                self._start(folder, name, path, one)
                return {'host': self._address, 'port': one}
            except HostError as e:
                if 'in use' not in str(e):
                    LOG.warning('Disk %s cannot be offered: %s', path, e)
                    raise HostError('The disk could not be offered to the other host.') from e
                LOG.info('Port %s was taken before disk %s could be offered there.', one, path)
        raise HostError('The disk could not be offered to the other host: no port is free.')

    def withdraw(self, folder: str) -> None:
        """Nothing is offered from that folder any more."""
        processes.end('qemu-nbd', _mark(folder, ''))

    def fetch(self, offer: dict, name: str, folder: str, path: str, progress) -> None:
        """The file `path` holds what is offered under that name; `folder` has the key, and stays the caller's own.

        `progress(percent)` is called now and then; what it raises ends the copying.  Refused where this host has no
        room, HostError for anything else that keeps the data from coming.
        """
        self.stop_fetching(path)
        log = os.path.join(folder, f'{name}.log')
        host, port = offer['host'], offer['port']
        source = {'driver': 'nbd', 'server.type': 'inet', 'server.host': host, 'server.port': port, 'export': name,
                  'tls-creds': 'tls'}
        words = ['qemu-img', 'convert', '-p', '-W', '--object', _credentials('client', folder),
                 '--image-opts', _options(source), '-O', 'raw', path]
        try:
            processes.run(words, log, LONGEST, _Watch(log, progress, self._silence, self._clock).look)
        except HostError as e:
            LOG.warning('Disk %s cannot be fetched from %s port %s: %s', path, host, port, e)
            if 'No space left' in str(e):
                raise Refused('The host has no room for the disks of the server.') from e
            raise HostError('A disk could not be copied from the other host.') from e

    def stop_fetching(self, path: str) -> None:
        """Nobody writes to that file any more."""
        processes.end('qemu-img', path)

    def _start(self, folder, name, path, port):
        words = ['qemu-nbd', '--fork', _mark(folder, name), '--persistent', f'--shared={READERS}', '--read-only',
                 '--format=raw', f'--bind={self._address}', f'--port={port}', f'--export-name={name}',
                 '--object', _credentials('server', folder), '--tls-creds=tls', path]
        processes.run(words, os.path.join(folder, f'{name}.log'), START_SECONDS)

    def _free_ports(self):
        """Those that nobody has at the moment, which somebody may yet take."""
        for port in self._ports:
            family = socket.AF_INET6 if ':' in self._address else socket.AF_INET
            with socket.socket(family) as trial:
                trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                try:
                    trial.bind((self._address, port))
                except OSError:
                    continue
            yield port


def write_key(folder: str, key: str) -> None:
    """`folder` has the key, as hexadecimal digits, for offer() or fetch()."""
    with open(os.open(os.path.join(folder, 'keys.psk'), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), 'w') as file:
        file.write(f'{USER}:{key}\n')


def read_key(folder: str) -> str | None:
    """The key that write_key() wrote, None if it did not."""
    try:
        with open(os.path.join(folder, 'keys.psk')) as file:
            return file.read().strip().partition(':')[2] or None
    except FileNotFoundError:
        return None


class _Watch:
    """Looks at a running qemu-img: how far it is, and whether it has anything to do at all.

    Its count moves by whole percents only, and zeros are not written: that it works shows by the processor time.
    """

    def __init__(self, log, progress, silence, clock):
        self._log, self._progress = log, progress
        self._silence, self._clock = silence, clock
        self._seen, self._since = None, clock()

    def look(self, pid):
        self._progress(_percent(self._log))
        seen = processes.busy(pid)
        if seen != self._seen:
            self._seen, self._since = seen, self._clock()
        elif self._clock() - self._since > self._silence:
            raise HostError(f'Nothing has come for {self._silence:g} s.')


def _percent(log) -> float:
    with open(log, 'rb') as said:
        said.seek(max(0, os.fstat(said.fileno()).st_size - 256))
        counts = COUNT.findall(said.read())
    return float(counts[-1]) if counts else 0.0


def _mark(folder, name):
    return f'--pid-file={folder}/{name}.pid' if name else f'--pid-file={folder}/'


def _port(words):
    return int(next(word for word in words if word.startswith('--port=')).partition('=')[2])


def _credentials(endpoint, folder):
    user = {'username': USER} if endpoint == 'client' else {}
    return 'tls-creds-psk,' + _options({'id': 'tls', 'endpoint': endpoint, 'priority': CIPHERS, 'dir': folder,
                                            **user})


def _options(values: dict) -> str:
    """QEMU's option syntax: a comma inside a value is written twice."""
    return ','.join(f'{name}={str(value).replace(",", ",,")}' for name, value in values.items())
