"""What computesvc asks of the volume service, each call as often as one likes."""
import pytest

from svckit.operations import Refused


@pytest.fixture
def volumes(world):
    return world.service.volumes


def attached(world):
    """(server, volume, its attachment)"""
    server = world.boot()
    volume = world.attach(server)
    (known,) = world.service.volumes.attachment_ids(volume, server)
    return server, volume, known


class TestAnotherAttachment:
    """For a server on its way to another host."""

    def test_is_made_once(self, world, volumes):
        server, volume, known = attached(world)
        made = volumes.reserve_another(volume, server, [known])
        assert made != known and volumes.reserve_another(volume, server, [known]) == made
        assert len(volumes.attachment_ids(volume, server)) == 2

    def test_is_connected_once(self, world, volumes):
        server, volume, known = attached(world)
        made, connection = volumes.connect_another(volume, server, {'host': 'host2'}, [known])
        assert connection == {'driver_volume_type': 'memory', 'data': {
            'name': f'volume-{volume}', 'access_mode': 'rw', 'encrypted': False}}
        assert volumes.connect_another(volume, server, {'host': 'host2'}, [known]) == (made, connection)
        assert world.volumes.attachments[made]['connector'] == {'host': 'host2'}

    def test_one_that_was_only_reserved_makes_way(self, world, volumes):
        server, volume, known = attached(world)
        reserved = volumes.reserve_another(volume, server, [known])
        made, connection = volumes.connect_another(volume, server, {'host': 'host2'}, [known])
        assert connection['data'] and sorted(volumes.attachment_ids(volume, server)) == sorted([known, made])
        assert reserved != made

    def test_what_was_made_ends_alone(self, world, volumes):
        server, volume, known = attached(world)
        volumes.reserve_another(volume, server, [known])
        for _ in range(2):
            volumes.end_others(volume, server, [known])
        assert volumes.attachment_ids(volume, server) == [known]
        assert world.volumes.volumes[volume]['status'] == 'in-use'

    def test_known_one_ends_alone(self, world, volumes):
        server, volume, known = attached(world)
        made, _ = volumes.connect_another(volume, server, {'host': 'host2'}, [known])
        volumes.complete(made)
        for _ in range(2):
            volumes.end(known)
        assert volumes.attachment_ids(volume, server) == [made]
        assert world.volumes.volumes[volume]['status'] == 'in-use'

    def test_of_a_volume_that_another_server_has(self, world, volumes):
        _, volume, _ = attached(world)
        with pytest.raises(Refused):
            volumes.reserve_another(volume, world.boot(), [])
