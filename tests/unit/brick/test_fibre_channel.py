"""Fibre Channel on a copy of /sys as two host bus adapters make it, since no kernel without such hardware has one.

The folders and files are those of lpfc under Linux 6.1. A write to a host's `scan` shows the disk, as the kernel and
udev do.
"""

import os
import threading

import pytest

import brick
from brick import errors, host, privileged

HOSTS = {'host6': '0000:05:00.0', 'host7': '0000:05:00.1'}
TARGETS = {'host6': '500a098280feeba5', 'host7': '500a098290feeba5'}
LUN, WWID, GIB = 5, '600a098038303053453f463045727654', 1 << 30


class Fabric:
    """Each adapter sees one port of the storage."""

    def __init__(self, root):
        self.root, self.size = root, GIB
        for number, (name, slot) in enumerate(HOSTS.items()):
            place = f'sys/devices/pci0000:00/0000:00:03.0/{slot}/{name}'
            self._class('fc_host', name, f'{place}/fc_host/{name}', port_name=f'0x21000024ff{number:06}',
                        node_name=f'0x20000024ff{number:06}', port_state='Online')
            self._class('scsi_host', name, f'{place}/scsi_host/{name}')
            self._remote_port(name[4:], f'{place}/rport-{name[4:]}:0-1', TARGETS[name])
            scan = root / place / 'scsi_host' / name / 'scan'
            os.mkfifo(scan)
            threading.Thread(target=self._listen, args=(scan, name[4:], place), daemon=True).start()

    def _remote_port(self, number, place, wwn):
        target = f'{place}/target{number}:0:1'
        self._class('fc_remote_ports', f'rport-{number}:0-1', f'{place}/fc_remote_ports/rport-{number}:0-1',
                    port_name=f'0x{wwn}', scsi_target_id='1', port_state='Online')
        self._link(f'{place}/fc_remote_ports/rport-{number}:0-1/device', place)
        self._class('fc_transport', f'target{number}:0:1', f'{target}/fc_transport/target{number}:0:1',
                    port_name=f'0x{wwn}')
        self._link(f'{target}/fc_transport/target{number}:0:1/device', target)

    def _listen(self, scan, number, place):
        while True:
            with open(scan) as pipe:
                if pipe.read() == f'0 1 {LUN}':
                    self.show(number, place)

    def show(self, number, place):
        """The kernel has found the LUN, and udev has made its links."""
        name = {'6': 'sdb', '7': 'sdc'}[number]
        address = f'{place}/rport-{number}:0-1/target{number}:0:1/{number}:0:1:{LUN}'
        self._class('block', name, f'{address}/block/{name}', size=str(self.size // 512))
        self._link(f'{address}/block/{name}/device', address)
        self._write(f'{address}/wwid', f'naa.{WWID}')
        self._write(f'{address}/state', 'running')
        self._write(f'dev/{name}', '')
        target = TARGETS[f'host{number}']
        self._link(f'dev/disk/by-id/scsi-3{WWID}', f'dev/{name}')
        self._link(f'dev/disk/by-path/pci-{HOSTS[f"host{number}"]}-fc-0x{target}-lun-{LUN}', f'dev/{name}')

    def _class(self, kind, name, place, **values):
        for key, value in values.items():
            self._write(f'{place}/{key}', value)
        self._link(f'sys/class/{kind}/{name}', place)

    def _write(self, path, text):
        (self.root / path).parent.mkdir(parents=True, exist_ok=True)
        (self.root / path).write_text(f'{text}\n')

    def _link(self, link, to):
        (self.root / link).parent.mkdir(parents=True, exist_ok=True)
        (self.root / to).mkdir(parents=True, exist_ok=True) if not (self.root / to).exists() else None
        if not (self.root / link).is_symlink():
            (self.root / link).symlink_to(os.path.relpath(self.root / to, (self.root / link).parent))


@pytest.fixture
def fabric(tmp_path, monkeypatch):
    monkeypatch.setattr(privileged, 'SYS', str(tmp_path / 'sys'))
    brick.setup(lock_path=str(tmp_path / 'locks'))
    privileged.context.set_client_mode(False)
    yield Fabric(tmp_path)
    privileged.context.set_client_mode(True)


@pytest.fixture
def data():
    return {'target_discovered': True, 'target_wwn': [wwn.upper() for wwn in TARGETS.values()], 'target_lun': LUN,
            'initiator_target_map': {'21000024FF000000': [TARGETS['host6'].upper()],
                                     '21000024ff000001': [TARGETS['host7']]}}


def test_properties(fabric):
    found = host.properties('compute-1', '10.0.0.1', root=str(fabric.root))
    assert found['wwpns'] == ['21000024ff000000', '21000024ff000001']
    assert found['wwnns'] == ['20000024ff000000', '20000024ff000001']
    assert 'initiator' not in found
    fabric._write('sys/class/fc_host/host6/port_state', 'Linkdown')
    assert host.properties('compute-1', '10.0.0.1', root=str(fabric.root))['wwpns'] == ['21000024ff000001']


def test_connect(fabric, data):
    """Both adapters scan their own port only, and the disk is found by its WWN."""
    connector = brick.connector_for('fibre_channel', root=str(fabric.root))
    assert connector.paths(data) == []
    device = connector.connect(data)
    assert device == {'path': f'/dev/disk/by-id/scsi-3{WWID}', 'type': 'block'}
    assert connector.connect(data) == device
    assert [(path.name, path.portal, path.size) for path in connector.paths(data)] == [
        ('sdb', TARGETS['host6'], GIB), ('sdc', TARGETS['host7'], GIB)]


def test_no_such_lun(fabric, data):
    connector = brick.connector_for('fibre_channel', root=str(fabric.root), scan_attempts=1)
    with pytest.raises(errors.ConnectFailed, match='LUN 6 of 500a098280feeba5 could not be connected: Unable to find'):
        connector.connect(data | {'target_lun': 6})


def test_no_adapter(tmp_path, fabric, data):
    connector = brick.connector_for('fibre_channel', root=str(tmp_path / 'empty'), scan_attempts=1)
    with pytest.raises(errors.ConnectFailed, match='could not be connected: .*Fibre Channel'):
        connector.connect(data)
