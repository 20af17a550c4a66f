"""What of the LVM driver needs no volume group: its grammar, its sentences, its secrets.  The rest: tests/lab."""
import dataclasses

import pytest

from svckit.operations import Refused
from tests.drivers import deaths
from tests.drivers.conftest import Backend, make
from tests.drivers.test_contract import image
from volsvc import privileged
from volsvc.drivers import lvm as lvm_driver
from volsvc.drivers import volume_group
from volsvc.drivers.base import DriverError, NoSpace, Volume, VolumeMissing
from volsvc.privileged import devices, lio, lvm
from volsvc.targets.lio import LioTarget

ID = '5f3b8c1e-0000-4000-8000-000000000001'
VOLUME = Volume(ID, 1024 ** 3)


@pytest.fixture(autouse=True)
def _daemon(monkeypatch):
    """This process stands for the daemon: what gets past the checks would act."""
    monkeypatch.setattr(privileged.context, 'client_mode', False)
    monkeypatch.setenv('PATH', '/nonexistent')
    monkeypatch.setattr(lvm, 'PATH', '/nonexistent')


@pytest.mark.parametrize('ask', [
    lambda: lvm.remove('lab', None, 'root'), lambda: lvm.remove('lab', None, '../volume-' + ID),
    lambda: lvm.remove('lab', None, f'volume-{ID}; reboot'), lambda: lvm.remove('-f', None, f'volume-{ID}'),
    lambda: lvm.remove('..', None, f'volume-{ID}'), lambda: lvm.remove('a/b', None, f'volume-{ID}'),
    lambda: lvm.create('lab', None, f'volume-{ID}', -1), lambda: lvm.create('lab', None, f'volume-{ID}', '1g'),
    lambda: lvm.create('lab', None, f'volume-{ID}', True), lambda: lvm.create('lab', None, 'swap', 1),
    lambda: lvm.rename('lab', None, f'volume-{ID}', 'root'), lambda: lvm.volumes('lab', None, ['" || lv_name=~".']),
    lambda: lvm.volumes('lab', '/tmp', None), lambda: lvm.pool('lab', None, 'a" || "'),     # noqa: S108
    lambda: devices.clear('lab', 'root', 0, 1), lambda: devices.clear('lab', f'volume-{ID}.gone', 0, 1),
    lambda: devices.read('lab', '/etc/shadow', 0, 1), lambda: devices.read('lab', 'root', 0, 1),
    lambda: devices.copy('lab', '/etc/shadow', f'volume-{ID}', 0, 1, False),
    lambda: export(target='/../../x'), lambda: export(initiator='iqn.2004-10.com.debian:a b'),
    lambda: export(serial='x'), lambda: export(portals=['10.0.0.1']), lambda: export(portals=['host:3260']),
    lambda: export(name='root'), lambda: export(password='short'), lambda: lio.unexport('naa.5', VOLUME.name),
])
def test_what_the_daemon_does_for_nobody(ask, monkeypatch):
    with pytest.raises((privileged.BadArgument, FileNotFoundError)) as caught:
        ask()
    assert caught.type is privileged.BadArgument or 'lvm.conf' in str(caught.value)


def export(**changed):
    arguments = {'target': f'iqn.2010-10.org.openstack:volume-{ID}', 'group': 'lab', 'name': VOLUME.name, 'serial': ID,
                 'portals': ['10.0.0.1:3260', '[2001:db8::1]:3260'], 'initiator': 'iqn.2004-10.com.debian:a',
                 'user': 'u' * 20, 'password': 'p' * 32, 'reuse': True, 'readonly': False}
    return lio.export(*(arguments | changed).values())


@pytest.mark.parametrize('complaint, kind', [
    ('  Insufficient free space: 230144 extents needed, but only 25343 available', NoSpace),
    ('  Volume group "lab" has insufficient free space (25343 extents): 230400 required.', NoSpace),
    ('  Insufficient suitable allocatable extents for logical volume x: 3 more required', NoSpace),
    ('  Cannot create new thin volume, free space in thin pool lab/volumes reached threshold.', NoSpace),
    ('  Failed to find logical volume "lab/volume-1"', VolumeMissing),
    ('  Volume group "lab" not found\n  Cannot process volume group lab', volume_group.NoGroup),
    ('  Snapshot origin volumes can be resized only while inactive: try lvchange -an.', volume_group.HasSnapshots),
    ('  Logical volume lab/volume-1 in use.', DriverError),
    ('  Something new.', DriverError),
])
def test_complaints_of_lvm_as_sentences(complaint, kind, monkeypatch, caplog):
    def fail(*_):
        raise privileged.CommandFailed('lvextend', 5, complaint)
    monkeypatch.setattr(lvm, 'remove', fail)
    group = volume_group.VolumeGroup('lab', None)
    with pytest.raises(kind) as caught:
        group._call(lvm.remove, VOLUME.name)
    assert caught.type is kind and 'lab' not in str(caught.value)
    assert complaint.strip() in caplog.text, 'the operator reads all of it'


def test_secrets_show_themselves_to_nobody():
    secret = privileged.Secret('p' * 32)
    reply = {'user': 'u', 'password': secret}
    assert 'ppp' not in f'{reply} {(reply,)!r}' and str(secret) == 'p' * 32


@pytest.mark.parametrize('options, said', [
    ({}, 'volume_group is not set'), ({'volume_group': '../lab'}, 'cannot be managed')])
def test_settings_that_cannot_be(tmp_path, options, said):
    with pytest.raises(DriverError, match=said):
        make(tmp_path, 'lvm', **options)


@pytest.mark.parametrize('portals, prefix', [
    ([], 'iqn.2010-10.org.openstack:'), (['localhost:3260'], 'iqn.2010-10.org.openstack:'),
    (['10.0.0.1:0'], 'iqn.2010-10.org.openstack:'), (['10.0.0.1:3260'], 'openstack:'), (['[::1]:3260'], '')])
def test_portals_and_prefixes_that_cannot_be(portals, prefix):
    class Options:
        target_portals, target_prefix = portals, prefix
    with pytest.raises(DriverError, match='target_portals or target_prefix'):
        LioTarget(Options, 'lab').start()


def test_a_host_without_an_initiator():
    class Options:
        target_portals, target_prefix = ['10.0.0.1:3260'], 'iqn.2010-10.org.openstack:'
    with pytest.raises(Refused, match='no iSCSI initiator'):
        LioTarget(Options, 'lab').export(VOLUME, {'host': 'host1'}, 'rw')


# ------------------------------------------------------------------ on a volume group in memory

@pytest.fixture(params=['lvm-thin', 'lvm-thick'])
def lvm_backend(request, tmp_path):
    return Backend(tmp_path, request.param)


@pytest.mark.parametrize('verb', deaths.VERBS)
def test_killed_after_every_change_and_repeated(lvm_backend, verb):
    """Nothing half made has a whole one's name, and the repeat ends as one that was never disturbed."""
    steps = deaths.each_change_of(verb, lvm_backend, lambda: set(lvm_backend.group.volumes()))
    assert steps > 1


def test_what_fails_is_tidied_up_at_once(lvm_backend, small, other):
    lvm_backend.driver.create(small)

    def fail(*_, **__):
        raise DriverError('The storage backend failed.')
    for change in ('rename', 'copy', 'extend', 'write'):
        setattr(lvm_backend.group, change, fail)
    for ask in (lambda: lvm_backend.driver.create_from_image(other, image(b'data')),
                lambda: lvm_backend.driver.clone(other, small)):
        with pytest.raises(DriverError):
            ask()
        assert set(lvm_backend.group.volumes()) == {small.name}


def test_growing_with_snapshots(tmp_path, small, snapshot, monkeypatch):
    monkeypatch.setattr(lvm_driver, 'GLANCE', 0.05)
    backend = Backend(tmp_path, 'lvm-thick')
    backend.driver.create(small)
    backend.driver.create_snapshot(snapshot, small)
    backend.group.used.add(small.name)
    backend.group.activate(small.name)              # it is seen as open from here on
    with pytest.raises(Refused, match='snapshots and is in use'):
        backend.driver.extend(small, 2 * small.size)
    with pytest.raises(Refused, match='has snapshots'):
        backend.driver.delete(small)
    backend.group.used.clear()
    backend.group.activate(small.name)
    backend.driver.extend(small, 2 * small.size)
    assert backend.group.active_size(small.name) == 2 * small.size


def test_growing_with_snapshots_while_udev_looks_at_it(tmp_path, small, snapshot, monkeypatch):
    backend = Backend(tmp_path, 'lvm-thick')
    backend.driver.create(small)
    backend.driver.create_snapshot(snapshot, small)
    backend.group.used.add(small.name)
    backend.group.activate(small.name)

    def closed(seconds):
        backend.group.used.clear()
        backend.group.activate(small.name)
    monkeypatch.setattr(lvm_driver.time, 'sleep', closed)
    backend.driver.extend(small, 2 * small.size)
    assert backend.group.active_size(small.name) == 2 * small.size


def test_a_source_that_was_written_to_beyond_the_room_for_that(tmp_path, small, other):
    backend = Backend(tmp_path, 'lvm-thick')
    backend.driver.create(small)
    copy = backend.group.copy

    def overflow(source, *arguments, **options):
        copy(source, *arguments, **options)
        backend.group._found[source] = dataclasses.replace(backend.group._found[source], broken=True)
    backend.group.copy = overflow
    with pytest.raises(DriverError, match='no room'):
        backend.driver.clone(other, small)
    assert set(backend.group.volumes()) == {small.name}


@pytest.mark.parametrize('before, now', [('thin', 'thick'), ('thick', 'thin')])
def test_after_the_operator_chose_the_other_type(tmp_path, small, other, snapshot, before, now):
    backend = Backend(tmp_path, f'lvm-{before}')
    backend.driver.create(small)
    backend.write(small, b'kept')
    backend.kind = f'lvm-{now}'
    driver = backend.again()
    driver.clone(other, small)
    driver.create_snapshot(snapshot, small)
    driver.delete_snapshot(snapshot)
    driver.extend(small, 2 * small.size)
    assert backend.read(other, 4) == backend.read(small, 4) == b'kept'
    assert {one.name: one.thin for one in backend.group.volumes().values()} == {
        small.name: before == 'thin', other.name: now == 'thin'}
    driver.delete(small)
    assert set(backend.group.volumes()) == {other.name}


def test_an_image_that_cannot_be_unpacked(tmp_path, small):
    backend = Backend(tmp_path, 'lvm-thin')
    (tmp_path / 'file').touch()
    backend.driver = make(tmp_path, 'lvm-thin', backend.group, image_folder=str(tmp_path / 'file'))
    with pytest.raises(DriverError, match='could not be unpacked') as caught:
        backend.driver.create_from_image(small, image(b'data', 'qcow2'))
    assert str(tmp_path) not in str(caught.value) and not backend.group.volumes()
