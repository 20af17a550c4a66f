"""Two hypervisor hosts with a libvirtd each, between which a server moves; what both of them say of it.

The agents and the conductor halt in their steps where a test wants it (stepping.py).
"""
import contextlib
import hashlib
import pathlib
import threading
import time
from xml.etree import ElementTree

from tests.system.deployment import Deployment
from tests.system.nursery import Nursery
from tests.system.processes import Process, Processes, eventually
from tests.system.stepping import Steps

STEPPING = pathlib.Path(__file__).with_name('stepping.py')
IMAGE = 1 << 20         # bytes
PAUSE = 0.02            # seconds between two looks at the guests


class Moving(Deployment):
    """`hosts`: {name: Libvirtd}, the first one of this deployment's own host."""
    halting = {}
    service = {'lease': 2, 'poll': 1, 'report_interval': 1}

    def __init__(self, folder, urls, transport_url, hosts: dict):
        super().__init__(folder, urls, transport_url, hosts[self.host].uri,
                         {name: daemon.uri for name, daemon in hosts.items() if name != self.host})
        self.steps, self._nursery = Steps(folder / 'steps'), Nursery(folder)
        self.processes = QuickProcesses(folder, self._nursery)

    def stop(self):
        super().stop()
        self._nursery.close()

    def agent(self):
        return {'heartbeat_interval': 1, 'shutdown_timeout': 0}

    def process(self, target) -> object:
        """That runs the steps of a target."""
        kind, _, host = target.partition(':')
        return self.agent_of(host) if kind == 'agent' else self.processes['computesvc-conductor']

    def files_of(self, host, server_id) -> list[tuple[str, str]]:
        """What is in the server's folder on the host: (name, digest of its first bytes)."""
        folder = self.folder / ('servers' if host == self.host else f'servers-{host}') / 'servers' / server_id
        return sorted((path.name, _digest(path)) for path in folder.rglob('*') if path.is_file())

    def programs(self, name) -> list[int]:
        """Process ids of what carries disks here."""
        found = []
        for path in pathlib.Path('/proc').glob('[0-9]*/cmdline'):
            with contextlib.suppress(OSError):
                program, *words = path.read_bytes().decode(errors='replace').split('\0')
                if program.endswith(name) and any(str(self.folder) in word for word in words):
                    found.append(int(path.parent.name))
        return found

    def used(self) -> dict[str, int]:
        """Virtual processors that are given out, by host."""
        found = self.admin.compute('GET', '/os-hypervisors/detail', version='2.80')['hypervisors']
        return {row['hypervisor_hostname']: row['vcpus_used'] for row in found}

    def _under_halting(self, name):
        return (STEPPING, self.steps.folder) if name in ('agent', 'conductor') else ('-m',)


class QuickProcesses(Processes):
    """Those that run stepping.py come from the nursery."""

    def __init__(self, folder, nursery):
        super().__init__(folder)
        self._nursery = nursery

    def add(self, name, *command):
        if command[0] != STEPPING:
            return super().add(name, *command)
        return self.put(QuickProcess(name, command[1:], self.folder, self._nursery))


class QuickProcess(Process):
    def __init__(self, name, arguments, folder, nursery):
        super().__init__(name, [], folder)
        self._arguments, self._nursery = arguments, nursery

    def _spawn(self):
        return self._nursery.start(self._arguments, self.log)


class Guest:
    """One server as the libvirtds of all hosts have it, asked with none of our code."""

    def __init__(self, hypervisors: dict, server_id: str):
        import libvirt
        libvirt.registerErrorHandler(lambda *what: None, None)
        self.id, self._missing = server_id, libvirt.libvirtError
        self._hosts = {host: libvirt.open(uri) for host, uri in hypervisors.items()}

    def domains(self) -> dict:
        """{host that has it defined or running: its domain}."""
        found = {}
        for host, connection in self._hosts.items():
            with contextlib.suppress(self._missing):
                found[host] = connection.lookupByUUIDString(self.id)
        return found

    def running(self) -> dict[str, int]:
        """{host where it runs: a number that no other start has}."""
        found = {}
        for host, domain in self.domains().items():
            with contextlib.suppress(self._missing):
                if domain.isActive():
                    found[host] = domain.ID()
        return found

    def vcpus(self, host) -> int:
        return int(self._xml(host).findtext('vcpu'))

    def serials(self, host) -> list[str]:
        """The volumes that are its disks there."""
        disks = self._xml(host).iter('disk')
        return sorted(serial for disk in disks if (serial := disk.findtext('serial')) not in (None, self.id))

    def _xml(self, host):
        return ElementTree.fromstring(self.domains()[host].XMLDesc())

    @contextlib.contextmanager
    def never_on_both(self):
        """It is seen to run on at most one host at a time as long as the `with` lasts."""
        ended, twice = threading.Event(), []

        def watch():
            while not ended.wait(PAUSE):
                first, second, third = self.running(), self.running(), self.running()
                # One that ran before and after the look at the other ran during it.
                steady = {host for host, number in first.items() if third.get(host) == number}
                if len(steady) > 1 or len(steady | set(second)) > 1 and steady:
                    twice.append((time.time(), first, second, third))
        watcher = threading.Thread(target=watch)
        watcher.start()
        try:
            yield
        finally:
            ended.set()
            watcher.join()
        assert not twice, f'it ran on both hosts: {twice[:3]}'


def killed_in_each(cloud, victim, ended) -> list[str]:
    """Kills `victim(target)`, the process, whenever a step halts, and has that go on; until `ended()`. The steps."""
    steps = []

    def look():
        for step, target in cloud.steps.reached().items():
            process = victim(target)
            process.kill()
            process.start()
            cloud.steps.go_on(step)
            steps.append(step)
        return ended()
    eventually('all has come to rest', look, seconds=120, pause=0.05)
    return steps


def _digest(path) -> str:
    with open(path, 'rb') as file:
        return hashlib.sha256(file.read(IMAGE)).hexdigest()
