"""Volumes exported by the kernel's iSCSI target: who gets in, what a restart leaves, and a death at every change."""
import contextlib
import os
import pathlib
import socket
import subprocess
import sys
import uuid

import pytest
import rtslib_fb
from oslo_config import cfg

from svckit.operations import Refused
from tests.lab.targets import eventually, initiator, run
from tests.operations.volsvc_world import World
from volsvc import conf, drivers
from volsvc.drivers.base import Volume, VolumeMissing
from volsvc.privileged import context, lio
from volsvc.worker import BackendWorker

MIB = 1024 * 1024
PORTALS = ['10.11.1.1:3260', '10.11.2.1:3260']
TREE = pathlib.Path('/sys/kernel/config/target')
OTHER = 'iqn.1993-08.org.debian:01:other'


@pytest.fixture(scope='module', autouse=True)
def _no_multipath():
    """These tests look at single paths."""
    run('multipathd', 'shutdown')
    yield
    run('multipathd')


@pytest.fixture
def driver():
    return made()


def made(**options):
    """A started driver, as a worker has it that was started anew."""
    configuration = cfg.ConfigOpts()
    configuration.register_opts(conf.DEFAULT)
    chosen = conf.backend(configuration, 'test')
    # The daemon says all that it can say: the tests look for secrets in it.
    for name, value in {'volume_driver': 'lvm', 'volume_group': 'lab', 'lvm_type': 'thick', 'volume_clear': 'none',
                        'privsep_helper': f'{" ".join(context.command())} --debug', 'target_portals': PORTALS,
                        **options}.items():
        configuration.set_override(name, value, 'test')
    driver = drivers.load('test', chosen)
    driver.start()
    return driver


@pytest.fixture
def connector():
    return {'host': 'node1', 'initiator': initiator()}


@pytest.fixture
def volume(driver):
    volume = Volume(str(uuid.uuid4()), 16 * MIB)
    driver.create(volume)
    with open(f'/dev/lab/{volume.name}', 'r+b') as file:
        file.write(b'what it holds')
        os.fsync(file.fileno())
    yield volume
    for session in sessions():
        log_out(session)
    driver.delete(volume)
    assert exports(volume) == []


# ------------------------------------------------------------------ a host, by its own programs

def log_in(data, portal=0, password=None, name=None) -> str:
    """The disk that appears; CalledProcessError if the target says no.  `name`: as an initiator of that name."""
    face = 'default'
    if name:
        face = 'other'
        run('iscsiadm', '-m', 'iface', '-I', face, '-o', 'new')
        run('iscsiadm', '-m', 'iface', '-I', face, '-o', 'update', '-n', 'iface.initiatorname', '-v', name)
    node = ['iscsiadm', '-m', 'node', '-T', data['target_iqn'], '-p', data['target_portals'][portal], '-I', face]
    run(*node, '-o', 'new')
    for key, value in {'auth.authmethod': 'CHAP', 'auth.username': data['auth_username'],
                       'auth.password': password or data['auth_password'], 'scan': 'auto',
                       'initial_login_retry_max': '1'}.items():
        run(*node, '-o', 'update', '-n', f'node.session.{key}', '-v', value)
    before = disks()
    run(*node, '--login')
    return eventually(lambda: sorted(disks() - before))[0]


def disks() -> set:
    return {path.name for session in sessions() for path in session.glob('device/target*/*:*/block/*')}


def sessions() -> list:
    return list(pathlib.Path('/sys/class/iscsi_session').glob('session*'))


def log_out(session):
    with contextlib.suppress(subprocess.CalledProcessError):
        run('iscsiadm', '-m', 'session', '-r', session.name.removeprefix('session'), '--logout')


@pytest.fixture(autouse=True)
def _forget():
    yield
    for session in sessions():
        log_out(session)
    for record in ('node', 'iface'):
        with contextlib.suppress(subprocess.CalledProcessError):
            run('iscsiadm', '-m', record, '-o', 'delete', *(['-I', 'other'] if record == 'iface' else []))


def read(disk, count=13) -> bytes:
    file = os.open(f'/dev/{disk}', os.O_RDONLY)
    try:
        os.posix_fadvise(file, 0, 0, os.POSIX_FADV_DONTNEED)
        return os.read(file, count)
    finally:
        os.close(file)


def wwid(disk) -> str:
    return pathlib.Path(f'/sys/block/{disk}/device/wwid').read_text().strip()


def exports(volume) -> list:
    """What the kernel's tree has of a volume, with the contents that matter."""
    found = []
    for path in sorted(TREE.glob(f'**/*{volume.name}*')) if TREE.exists() else []:
        for folder, _, files in os.walk(path):
            if 'statistics' in folder:
                continue
            found.append(folder)
            found += [f'{folder}/{name} {pathlib.Path(folder, name).read_text()}' for name in files
                      if name in ('enable', 'userid', 'password', 'write_protect', 'vpd_unit_serial', 'authentication')]
    return sorted(line.split('tpgt_1/acls')[-1] for line in found)


def wipe():
    """As after a restart of the machine: the kernel exports nothing."""
    rtslib_fb.tcm.bs_cache.clear()
    rtslib_fb.RTSRoot().clear_existing(confirm=True)


# ------------------------------------------------------------------ who gets in

def test_by_each_portal_with_the_right_credentials(driver, volume, connector):
    data = driver.connect(volume, connector, 'rw')['data']
    assert (data['target_portals'], data['target_luns'], data['target_lun']) == (PORTALS, [0, 0], 0)
    assert (data['target_portal'], data['target_iqns']) == (PORTALS[0], [data['target_iqn']] * 2)
    assert len(data['auth_password']) >= 16 and data['auth_method'] == 'CHAP' and data['target_discovered'] is False
    found = [log_in(data, portal) for portal in (0, 1)]
    assert [read(disk) for disk in found] == [b'what it holds'] * 2
    assert len({wwid(disk) for disk in found}) == 1
    assert volume.id in pathlib.Path(f'/sys/block/{found[0]}/device/vpd_pg80').read_text(errors='replace')


def test_not_with_a_wrong_password_nor_as_somebody_else(driver, volume, connector):
    data = driver.connect(volume, connector, 'rw')['data']
    with pytest.raises(subprocess.CalledProcessError, match='24'):      # ISCSI_ERR_LOGIN_AUTH_FAILED
        log_in(data, password='not-the-password')
    with pytest.raises(subprocess.CalledProcessError):
        log_in(data, name=OTHER)
    assert disks() == set()


def test_each_host_has_its_own_credentials(driver, volume, connector):
    first = driver.connect(volume, connector, 'rw')['data']
    second = driver.connect(volume, {'host': 'other', 'initiator': OTHER}, 'rw')['data']
    assert first['target_iqn'] == second['target_iqn']
    assert first['auth_password'] != second['auth_password'] and first['auth_username'] != second['auth_username']
    log_in(second, name=OTHER)
    with pytest.raises(subprocess.CalledProcessError):
        log_in(first, portal=1, name=OTHER)


def test_read_only(driver, volume, connector):
    disk = log_in(driver.connect(volume, connector, 'ro')['data'])
    assert pathlib.Path(f'/sys/block/{disk}/ro').read_text() == '1\n'


def test_asked_again_by_a_worker_that_was_started_anew(driver, volume, connector):
    first = driver.connect(volume, connector, 'rw')
    tree = exports(volume)
    assert made().connect(volume, connector, 'rw') == first
    assert exports(volume) == tree


def test_connectors_that_will_not_do(driver, volume, connector):
    with pytest.raises(Refused, match='no iSCSI initiator'):
        driver.connect(volume, {'host': 'node1'}, 'rw')
    for bad in ('../../etc', 'iqn.1993-08.org.debian:01:a b', 'iqn.1993-08.org.debian:01:' + 'x' * 300):
        with pytest.raises(Refused, match='grammar'):
            driver.connect(volume, {'host': 'node1', 'initiator': bad}, 'rw')
    driver.disconnect(volume, {'host': 'node1'})
    with pytest.raises(VolumeMissing):
        driver.connect(Volume(str(uuid.uuid4()), MIB), connector, 'rw')


def test_a_portal_whose_address_comes_later(volume, connector):
    data = made(target_portals=[PORTALS[0], '10.11.99.1:3260']).connect(volume, connector, 'rw')['data']
    run('ip', 'address', 'add', '10.11.99.1/32', 'dev', 'lo')
    try:
        assert read(log_in(data, portal=1)) == b'what it holds'
        for session in sessions():
            log_out(session)
    finally:
        run('ip', 'address', 'del', '10.11.99.1/32', 'dev', 'lo')


def test_a_portal_where_somebody_else_listens(volume, connector):
    with socket.create_server(('10.11.2.1', 3270)):
        driver = made(target_portals=[PORTALS[0], '10.11.2.1:3270'])
        assert driver.connect(volume, connector, 'rw')['data']['target_portals'] == PORTALS[:1]
    assert len(driver.connect(volume, connector, 'rw')['data']['target_portals']) == 2


# ------------------------------------------------------------------ growing, restarts, and the end

def test_it_grows_under_the_host(driver, volume, connector):
    disk = log_in(driver.connect(volume, connector, 'rw')['data'])
    driver.extend(volume, 2 * volume.size)
    pathlib.Path(f'/sys/block/{disk}/device/rescan').write_text('1')
    assert int(pathlib.Path(f'/sys/block/{disk}/size').read_text()) * 512 == 2 * volume.size


def test_after_a_restart_of_the_machine_hosts_come_back_by_themselves(driver, volume, connector):
    connection = driver.connect(volume, connector, 'rw')
    disk = log_in(connection['data'])
    before = wwid(disk), exports(volume)
    wipe()
    run('lvm', 'lvchange', '-an', f'lab/{volume.name}')
    assert exports(volume) == []
    for _ in range(2):
        made().restore(volume, connector, connection)
        assert exports(volume) == before[1]
    session, = sessions()
    eventually(lambda: (session / 'state').read_text().strip() == 'LOGGED_IN')
    assert (read(disk), wwid(disk)) == (b'what it holds', before[0])


def test_a_worker_that_starts_exports_what_is_attached(tmp_path):
    options = {'volume_driver': 'lvm', 'volume_group': 'lab', 'lvm_type': 'thick', 'volume_clear': 'none',
               'target_portals': PORTALS}
    world = World(f'sqlite:///{tmp_path}/v.sqlite', tmp_path, enabled_backends=['file'],
                  **{f'file__{name}': value for name, value in options.items()})
    used, idle = world.made(), world.made()
    world.connected(used, initiator=initiator())
    volumes = [Volume(row.id, row.size) for row in (used, idle)]
    before = exports(volumes[0])
    wipe()
    worker = BackendWorker(world.service, 'file')
    worker.start()
    try:
        assert (exports(volumes[0]), exports(volumes[1])) == (before, [])
    finally:
        worker.stop(5)
        for volume in volumes:
            world.driver.delete(volume)


def test_the_database_goes_before_what_the_kernel_has(driver, volume, connector):
    connection = driver.connect(volume, connector, 'rw')
    driver.disconnect(volume, connector)
    assert driver.connect(volume, connector, 'rw') != connection
    driver.restore(volume, connector, connection)
    assert driver.connect(volume, connector, 'rw') == connection
    log_in(connection['data'])


def test_the_last_host_to_go_takes_the_target_with_it(driver, volume, connector):
    other = {'host': 'other', 'initiator': OTHER}
    data = driver.connect(volume, connector, 'rw')['data']
    driver.connect(volume, other, 'rw')
    for _ in range(2):
        driver.disconnect(volume, other)
        assert exports(volume) != []
    log_in(data)
    for _ in range(2):
        driver.disconnect(volume, connector)
        assert exports(volume) == []


def test_a_host_that_is_logged_in_is_cut_off(driver, volume, connector):
    disk = log_in(driver.connect(volume, connector, 'rw')['data'])
    for _ in range(2):
        driver.disconnect(volume, connector)
    assert exports(volume) == []
    session, = sessions()
    eventually(lambda: (session / 'state').read_text().strip() != 'LOGGED_IN')
    with pytest.raises(OSError):
        read(disk)


# ------------------------------------------------------------------ killed in the middle

class Death:
    """Ends the process before its change number `wanted` of the kernel's tree; an audit hook sees each of them."""

    def __init__(self, wanted):
        self.left = wanted

    def __call__(self, event, arguments):
        if event in ('os.mkdir', 'os.rmdir', 'os.symlink', 'os.remove') or event == 'open' and arguments[1] == 'w':
            path = str(arguments[1] if event == 'os.symlink' else arguments[0])
            if path.startswith(str(TREE)):
                self.left -= 1
                if self.left < 0:
                    os._exit(9)


def dies(wanted, function, *arguments) -> bool:
    """Whether a process that does this dies before its change number `wanted`; otherwise it is done."""
    child = os.fork()
    if child == 0:
        try:
            lio.context.set_client_mode(False)
            sys.addaudithook(Death(wanted))
            function(*arguments)
            os._exit(0)
        except BaseException as error:
            print(repr(error), file=sys.stderr)
            os._exit(1)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert status in (0, 9)
    return status == 9


def test_a_death_at_every_change(driver, volume, connector):
    known = ('a' * 20, 'b' * 32)
    arguments = (driver.target._name(volume), 'lab', volume.name, volume.id, PORTALS, connector['initiator'], *known,
                 True, False)
    assert not dies(10000, lio.export, *arguments)
    whole, deaths = exports(volume), [0, 0]
    lio.unexport(arguments[0], volume.name)
    while dies(deaths[0], lio.export, *arguments):
        deaths[0] += 1
        data = driver.connect(volume, connector, 'rw')['data']
        lio.export(*arguments[:6], *known, False, False)
        assert exports(volume) == whole, deaths
        if deaths[0] % 5 == 0:
            log_in({**data, 'auth_username': known[0], 'auth_password': known[1]})
            log_out(sessions()[0])
        driver.disconnect(volume, connector)
        assert exports(volume) == [], deaths
    lio.export(*arguments)
    while dies(deaths[1], lio.unexport, arguments[0], volume.name, connector['initiator']):
        deaths[1] += 1
        driver.disconnect(volume, connector)
        assert exports(volume) == [], deaths
        lio.export(*arguments)
    assert min(deaths) > 5, deaths


# ------------------------------------------------------------------ secrets

def test_credentials_are_in_no_log_and_no_process_list(driver, volume, connector, caplog):
    caplog.set_level('DEBUG')
    lio.context.stop()
    password = driver.connect(volume, connector, 'rw')['data']['auth_password']
    assert 'reply' in caplog.text, 'the daemon logs its answers, or this test shows nothing'
    assert password not in caplog.text
    for path in pathlib.Path('/proc').glob('[0-9]*/cmdline'):
        with contextlib.suppress(OSError):
            assert password not in path.read_text(errors='replace')
