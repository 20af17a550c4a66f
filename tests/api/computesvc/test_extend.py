"""A volume has grown: event, operation, guest."""
GIB = 1024 ** 3


def action(world, server_id, answer, **kw):
    request_id = answer.headers['X-OpenStack-Request-ID']
    return world.get(f'/servers/{server_id}/os-instance-actions/{request_id}', **kw)['instanceAction']


def test_guest_sees_growth(world):
    server_id = world.boot()
    volume_id = world.attach(server_id)
    assert world.hypervisor.disk_size(server_id, volume_id) == GIB
    answer = world.grown(server_id, volume_id, 2)
    assert answer.json == {'events': [{'name': 'volume-extended', 'server_uuid': server_id, 'tag': volume_id,
                                       'status': 'completed', 'code': 200}]}
    before = action(world, server_id, answer)
    assert before['action'] == 'extend_volume'
    assert before['events'][0]['event'] == 'compute_extend_volume'
    assert before['events'][0]['finish_time'] is None and before['events'][0]['result'] is None
    world.run()
    after = action(world, server_id, answer)['events'][0]
    assert after['finish_time'] and after['result'] == 'Success'
    assert world.hypervisor.disk_size(server_id, volume_id) == 2 * GIB
