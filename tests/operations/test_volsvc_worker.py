"""A backend's worker, and the operator's commands."""
import pytest

from svckit import operations
from svckit.db import migration
from tests.operations.volsvc_world import GIB, World
from volsvc import metrics
from volsvc.cmd import manage
from volsvc.db import attachments, services
from volsvc.drivers.base import DriverError, VolumeMissing
from volsvc.operations import create_volume, extend_volume


@pytest.fixture
def world(tmp_path):
    return World(f'sqlite:///{tmp_path}/volsvc.sqlite', tmp_path)


class TestWorker:
    def test_reports_what_it_has(self, world):
        world.made(3)
        create_volume.request(world.context(), size=2)          # not made yet
        world.worker.report()
        with world.db.reader() as session:
            (row, age), = services.every(session)
        assert (row.host, row.binary, age < 60) == ('host@memory', 'cinder-volume', True)
        assert row.capabilities['provisioned_bytes'] == 3 * GIB
        assert row.capabilities['online_extend'] is True

    def test_a_backend_that_is_not_usable_yet(self, tmp_path):
        world = World(f'sqlite:///{tmp_path}/v.sqlite', tmp_path, service__report_interval=0.1, service__poll=0.05)
        broken = [DriverError('the array is being moved')]

        def start():
            if broken:
                raise broken[0]
        world.driver.start = start
        volume = world.made()
        extend_volume.request(world.context(), volume, 2)
        world.worker.start()
        try:
            assert world.row(volume.id).status == 'extending'
            broken.clear()
            eventually(lambda: world.row(volume.id).size == 2 * GIB)
        finally:
            world.worker.stop(5)

    def test_a_wake_is_enough(self, tmp_path):
        """No poll comes round in this test's time."""
        world = World(f'sqlite:///{tmp_path}/v.sqlite', tmp_path, service__poll=3600.0)
        volume = world.made()
        world.worker.start()
        try:
            extend_volume.request(world.context(), volume, 2)
            eventually(lambda: world.row(volume.id).status == 'available')
        finally:
            world.worker.stop(5)

    def test_forgets_what_ended_long_ago(self, tmp_path):
        world = World(f'sqlite:///{tmp_path}/v.sqlite', tmp_path, keep_operations=0.0, message_ttl=0.0)
        world.made()
        assert world.operations()
        world.worker._tidy()
        assert world.operations() == []


class TestGrownByHand:
    """An operator grew a volume on the backend: that is told, and nothing is done about it."""

    def test_is_told_once_and_left_as_it_is(self, world, caplog):
        volume, other = world.made(), world.made()
        world.driver.volumes[volume.id]['size'] = 3 * GIB
        for _ in range(2):
            world.worker.sweep()
        assert len([line for line in caplog.messages if volume.id in line]) == 1 and other.id not in caplog.text
        said, = world.messages()
        assert 'has 1 GiB, but the storage backend holds 3 GiB' in said
        assert world.row(volume.id).size == GIB and world.driver.volumes[volume.id]['size'] == 3 * GIB
        assert world.used()['gigabytes'] == 2

    def test_is_counted(self, world):
        volume = world.made()
        assert self.gauge(world) == 0
        world.driver.volumes[volume.id]['size'] = 3 * GIB
        world.worker.sweep()
        assert self.gauge(world) == 1
        world.driver.volumes[volume.id]['size'] = 4 * GIB
        world.worker.sweep()
        assert len(world.messages()) == 2
        extend_volume.request(world.context(), world.row(volume.id), 4)
        world.run()
        world.worker.sweep()
        assert self.gauge(world) == 0

    def gauge(self, world):
        world.worker.report()
        families = {family.name: family for family in metrics.families(world.service)}
        (labels, value), = families['volsvc_volumes_larger_than_recorded'].samples
        assert labels == {'host': 'host@memory'}
        return value

    def test_extending_to_what_there_is_takes_quota(self, world):
        volume = world.made()
        world.driver.volumes[volume.id]['size'] = 3 * GIB
        world.driver.extend = None                  # nothing to do for it
        extend_volume.request(world.context(), volume, 3)
        world.run()
        assert (world.row(volume.id).size, world.row(volume.id).status) == (3 * GIB, 'available')
        assert world.used()['gigabytes'] == 3

    def test_one_that_is_being_extended_is_no_news(self, world):
        volume = world.made()
        extend_volume.request(world.context(), volume, 3)
        world.driver.volumes[volume.id]['size'] = 3 * GIB
        world.worker.sweep()
        assert world.messages() == [] and world.worker.grown == {}

    def test_a_worker_looks_by_itself(self, tmp_path):
        world = World(f'sqlite:///{tmp_path}/v.sqlite', tmp_path, service__report_interval=0.1, sweep_interval=0.1)
        volume = world.made()
        world.worker.start()
        try:
            world.driver.volumes[volume.id]['size'] = 3 * GIB
            eventually(world.messages)
        finally:
            world.worker.stop(5)


class TestRestore:
    """A worker that starts makes hosts reach their volumes again, before it does anything else."""

    @pytest.fixture
    def restored(self, world):
        calls = []
        world.driver.restore = lambda volume, connector, info: calls.append((volume.id, connector['host'], info))
        return calls

    def test_of_what_is_attached(self, world, restored):
        used, _ = world.made(), world.made()
        world.connected(used, 'host1')
        world.worker.restore()
        (volume_id, host, info), = restored
        assert (volume_id, host, info['driver_volume_type']) == (used.id, 'host1', 'memory')
        world.worker.restore()
        assert len(restored) == 1

    def test_one_that_fails_is_tried_again_and_holds_up_nobody(self, world, restored):
        first, second = world.made(), world.made()
        world.connected(first)
        world.connected(second)
        restore, failing = world.driver.restore, [True]

        def fail(volume, connector, info):
            if volume.id == first.id and failing:
                raise DriverError('a portal is not there yet')
            restore(volume, connector, info)
        world.driver.restore = fail
        world.worker.restore()
        assert [id for id, *_ in restored] == [second.id]
        failing.clear()
        world.worker.restore()
        assert [id for id, *_ in restored] == [second.id, first.id]

    def test_one_that_was_detached_meanwhile_is_taken_back(self, world):
        volume = world.made()
        _, attachment = world.connected(volume, 'host1')

        def restore(*_):
            with world.db.transaction() as session:
                session.delete(attachments.get(session, attachment.id))
        world.driver.restore = restore
        world.worker.restore()
        assert world.driver.volumes[volume.id]['connected'] == []

    def test_a_volume_that_is_gone(self, world, caplog):
        volume = world.made()
        world.connected(volume)

        def restore(*_):
            raise VolumeMissing('gone')
        world.driver.restore = restore
        world.worker.restore()
        assert volume.id in caplog.text and world.worker._unreached == set()
        assert world.messages() == ['The storage backend does not have the volume any more. Ask an operator.']


class TestManage:
    @pytest.fixture
    def run(self, world, capsys):
        class Commands(manage.Commands):
            def make_service(self, files):
                return world.service

        def run(*words):
            return Commands().main(words), capsys.readouterr().out
        return run

    @pytest.fixture
    def stuck(self, world):
        volume = world.made()

        def fail(volume):
            raise DriverError('the array does not answer')
        world.driver.size, size = fail, world.driver.size
        extend_volume.request(world.context(), volume, 5)
        while [op for op in world.operations() if op.state in ('running', 'undoing')]:
            world.run()
            world.wait(600)
        world.driver.size = size
        return world.operations('extend-volume')[-1]

    def test_check(self, world, run):
        assert run('check') == (0, 'All is well.\n')

    def test_check_of_what_is_wrong(self, world, run, stuck):
        world.nova.broken = {'POST /os-server-external-events': 403}
        status, said = run('check')
        assert status == 1
        assert '1 extend-volume operations are stuck' in said and 'give the user in [compute] the role' in said

    def test_retry(self, world, run, stuck):
        assert 'stuck' in run('operations', 'list')[1]
        assert 'the array does not answer' in run('operations', 'show', stuck.id)[1]
        run('operations', 'retry', stuck.id)
        world.run()
        assert world.operations('extend-volume')[-1].state == 'undone'
        assert world.used()['gigabytes'] == 1

    def test_abandon_gives_the_quota_back(self, world, run, stuck):
        run('operations', 'abandon', stuck.id)
        assert world.used()['gigabytes'] == 1
        assert run('quota', 'repair') == (0, '')

    def test_quota_repair(self, world, run, stuck):
        from svckit import quota
        with world.db.transaction() as session:
            quota.take(session, 'p1', {'volumes': 6, 'gigabytes': 65}, {})
        wrong = ['p1: gigabytes: 70 recorded as in use, 5 found.', 'p1: volumes: 7 recorded as in use, 1 found.', '']
        assert run('quota', 'check') == run('quota', 'check', '--project', 'p1') == (1, '\n'.join(wrong))
        assert run('quota', 'check', '--project', 'p2') == (0, 'All is well.\n')
        assert '2 figures of quota are wrong: see volsvc-manage quota check.' in run('check')[1]
        assert run('quota', 'repair') == (0, '\n'.join(wrong))
        assert run('quota', 'check') == (0, 'All is well.\n')
        # What a live extend holds is its own.
        assert world.used() == {'volumes': 1, 'gigabytes': 5, 'volumes___DEFAULT__': 1, 'gigabytes___DEFAULT__': 5}

    def test_services(self, world, run):
        assert 'host@memory' in run('services', 'list')[1]

    def test_what_there_is_nothing_of(self, run, stuck):
        assert run('operations', 'show', 'no-such-id')[0] == 1
        run('operations', 'retry', stuck.id)
        assert run('operations', 'abandon', stuck.id)[0] == 1, 'it is not stuck any more'

    def test_the_command_with_its_own_configuration(self, tmp_path, capsys):
        file = tmp_path / 'volsvc.conf'
        file.write_text(f'[database]\nconnection = sqlite:///{tmp_path}/new.sqlite\n[compute]\nauth_type = none\n')

        def run(*words):
            return manage.main(['--config-file', str(file), *words]), capsys.readouterr().out
        assert run('check') == (1, 'The schema is not up to date: run volsvc-manage db sync.\n')
        assert run('db', 'sync') == (0, 'The schema was brought up to date.\n')
        assert run('db', 'sync') == (0, 'The schema is up to date.\n')
        assert run('db', 'version')[1].startswith(migration.head('volsvc.db.migrations'))
        assert run('operations', 'list') == (0, '')


def eventually(true, seconds=20.0):
    import time
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_the_engine_knows_all_operations():
    from volsvc.operations import registry
    assert {name for name, _ in registry()} == {
        'create-volume', 'delete-volume', 'extend-volume', 'tell-server', 'connect-attachment', 'delete-attachment',
            'create-snapshot', 'delete-snapshot', 'revert-volume', 'upload-volume', 'end-connection'}
    assert all(isinstance(one, operations.Operation) for one in registry().values())
