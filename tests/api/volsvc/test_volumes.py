"""Volumes: create, show, change, delete."""


from tests.api.volsvc.world import GIB


def test_create_show_delete(world):
    answer = world.call('POST', '/v3/p1/volumes', {'volume': {'size': 1, 'name': 'v1'}})
    assert answer.status == 202
    volume = answer.json['volume']
    assert (volume['status'], volume['size'], volume['name']) == ('creating', 1, 'v1')
    world.run()
    assert world.volume(volume['id'])['status'] == 'available'
    assert world.driver.volumes[volume['id']]['size'] == GIB
    world.delete(f'/volumes/{volume["id"]}?cascade=False&force=False')
    assert world.volume(volume['id'])['status'] == 'deleting'
    world.run()
    world.get(f'/volumes/{volume["id"]}', 404)
    assert world.driver.volumes == {} and world.used() == {}
