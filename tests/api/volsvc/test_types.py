"""Volume types, their extra specs, who may use them, which are the default, and how they say they are encrypted."""
import pytest

from tests.api.volsvc.world import ADMIN

ELSEWHERE = '11111111-1111-1111-1111-111111111111'


@pytest.fixture
def make(world):
    """The id of a new type."""
    def make(name='gold', **values):
        return world.post('/types', {'volume_type': {'name': name, **values}}, 200, **ADMIN)['volume_type']['id']
    return make


def names(world, query='', **kw):
    return sorted(kind['name'] for kind in world.get(f'/types?{query}', **kw)['volume_types'])


class TestTypes:

    def test_show_to_users(self, world, make):
        id = make(description='fast', extra_specs={'volume_backend_name': 'memory', 'multiattach': '<is> True'})
        assert world.get(f'/types/{id}') == {'volume_type': {
            'id': id, 'name': 'gold', 'description': 'fast', 'is_public': True,
            'os-volume-type-access:is_public': True, 'extra_specs': {'multiattach': '<is> True'}}}

    def test_show_to_administrators(self, world, make):
        id = make(extra_specs={'volume_backend_name': 'memory'})
        shown = world.get(f'/types/{id}', **ADMIN)['volume_type']
        assert shown['extra_specs'] == {'volume_backend_name': 'memory'} and shown['qos_specs_id'] is None

    def test_by_name_is_404_so_that_clients_search(self, world, make):
        make()
        world.refused(404, 'GET', '/types/gold')

    def test_default(self, world):
        assert world.get('/types/default')['volume_type']['name'] == '__DEFAULT__'

    def test_list(self, world, make):
        make()
        assert names(world) == ['__DEFAULT__', 'gold']

    def test_pages(self, world, make):
        make()
        first = world.get('/types?limit=1&sort=name:asc')
        assert [kind['name'] for kind in first['volume_types']] == ['__DEFAULT__'] and 'volume_type_links' in first
        assert names(world, f'marker={first["volume_types"][0]["id"]}&sort=name:asc') == ['gold']

    def test_marker_that_is_not_there(self, world):
        world.refused(404, 'GET', '/types?marker=x')

    def test_update(self, world, make):
        shown = world.put(f'/types/{make()}', {'volume_type': {'name': 'g', 'description': 'd', 'is_public': False}},
                          **ADMIN)['volume_type']
        assert (shown['name'], shown['description'], shown['is_public']) == ('g', 'd', False)

    def test_update_by_the_name_that_answers_have(self, world, make):
        wanted = {'volume_type': {'os-volume-type-access:is_public': False}}
        assert not world.put(f'/types/{make()}', wanted, **ADMIN)['volume_type']['is_public']

    def test_delete(self, world, make):
        id = make()
        world.delete(f'/types/{id}', **ADMIN)
        world.get(f'/types/{id}', 404)

    def test_in_use(self, world, make):
        id = make()
        world.create(volume_type='gold')
        assert 'in use' in world.refused(400, 'DELETE', f'/types/{id}', **ADMIN)

    def test_the_default_stays(self, world):
        id = world.get('/types/default')['volume_type']['id']
        world.refused(400, 'DELETE', f'/types/{id}', **ADMIN)

    def test_name_is_taken(self, world, make):
        make()
        assert 'gold' in world.refused(409, 'POST', '/types', {'volume_type': {'name': 'gold'}}, **ADMIN)
        world.refused(409, 'PUT', f'/types/{make("silver")}', {'volume_type': {'name': 'gold'}}, **ADMIN)

    @pytest.mark.parametrize('kind', [None, {}, {'name': ''}, {'name': '  '}, {'name': None}, {'name': 1},
                                      {'name': 256 * 'x'}, {'name': 'x', 'extra_specs': {'a': 1}},
                                      {'name': 'x', 'extra_specs': {'a b': 'c'}}, {'name': 'x', 'colour': 'red'},
                                      {'name': 'x', 'os-volume-type-access:is_public': 'perhaps'}])
    def test_wrong(self, world, kind):
        world.refused(400, 'POST', '/types', {'volume_type': kind}, **ADMIN)
        assert names(world) == ['__DEFAULT__']

    @pytest.mark.parametrize('kind', [None, {}, {'name': ''}, {'name': None}, {'is_public': 3}, {'x': 'y'}])
    def test_wrong_update(self, world, make, kind):
        world.refused(400, 'PUT', f'/types/{make()}', {'volume_type': kind}, **ADMIN)

    @pytest.mark.parametrize('method, path, body', [
        ('POST', '', {'volume_type': {'name': 'x'}}), ('PUT', '/{id}', {'volume_type': {'name': 'x'}}),
        ('DELETE', '/{id}', None), ('POST', '/{id}/extra_specs', {'extra_specs': {'a': 'b'}}),
        ('PUT', '/{id}/extra_specs/a', {'a': 'b'}), ('DELETE', '/{id}/extra_specs/a', None),
        ('POST', '/{id}/action', {'addProjectAccess': {'project': 'p1'}}),
        ('GET', '/{id}/os-volume-type-access', None)])
    def test_users_may_not(self, world, make, method, path, body):
        world.refused(403, method, '/types' + path.format(id=make()), body)

    @pytest.mark.parametrize('method', ['GET', 'PUT', 'DELETE'])
    def test_unknown(self, world, method):
        world.refused(404, method, f'/types/{ELSEWHERE}', {'volume_type': {'name': 'x'}}, **ADMIN)


class TestPrivate:

    @pytest.fixture
    def private(self, make):
        return make('mine', **{'os-volume-type-access:is_public': False})

    def test_is_not_there_for_others(self, world, private):
        assert names(world) == ['__DEFAULT__']
        world.get(f'/types/{private}', 404)
        world.refused(404, 'POST', '/volumes', {'volume': {'size': 1, 'volume_type': 'mine'}})

    def test_access(self, world, private):
        world.post(f'/types/{private}/action', {'addProjectAccess': {'project': 'p1'}}, **ADMIN)
        assert names(world) == ['__DEFAULT__', 'mine'] and names(world, project='p2') == ['__DEFAULT__']
        assert world.get(f'/types/{private}/os-volume-type-access', **ADMIN) == {
            'volume_type_access': [{'volume_type_id': private, 'project_id': 'p1'}]}

    def test_access_ends(self, world, private):
        world.post(f'/types/{private}/action', {'addProjectAccess': {'project': 'p1'}}, **ADMIN)
        world.post(f'/types/{private}/action', {'removeProjectAccess': {'project': 'p1'}}, **ADMIN)
        assert names(world) == ['__DEFAULT__']

    def test_access_twice(self, world, private):
        world.post(f'/types/{private}/action', {'addProjectAccess': {'project': 'p1'}}, **ADMIN)
        world.post(f'/types/{private}/action', {'addProjectAccess': {'project': 'p1'}}, 409, **ADMIN)

    def test_no_access_to_end(self, world, private):
        world.post(f'/types/{private}/action', {'removeProjectAccess': {'project': 'p1'}}, 404, **ADMIN)

    def test_of_a_public_type(self, world, make):
        id = make()
        for action in ('addProjectAccess', 'removeProjectAccess'):
            assert 'public' in world.refused(400, 'POST', f'/types/{id}/action', {action: {'project': 'p1'}}, **ADMIN)
        world.refused(404, 'GET', f'/types/{id}/os-volume-type-access', **ADMIN)

    def test_made_public(self, world, private):
        world.put(f'/types/{private}', {'volume_type': {'is_public': True}}, **ADMIN)
        assert names(world) == ['__DEFAULT__', 'mine']

    @pytest.mark.parametrize('value', [None, {}, {'project': ''}, {'project': 1}, {'project': 'p1', 'x': 'y'},
                                       {'project': 256 * 'x'}])
    def test_wrong(self, world, private, value):
        world.refused(400, 'POST', f'/types/{private}/action', {'addProjectAccess': value}, **ADMIN)

    @pytest.mark.parametrize('query, found', [('', ['__DEFAULT__', 'mine']),
                                              ('is_public=None', ['__DEFAULT__', 'mine']),
                                              ('is_public=true', ['__DEFAULT__']), ('is_public=False', ['mine'])])
    def test_administrators_see_all(self, world, private, query, found):
        assert names(world, query, **ADMIN) == found


class TestExtraSpecs:

    @pytest.fixture
    def kind(self, make):
        return make(extra_specs={'multiattach': '<is> True', 'volume_backend_name': 'memory'})

    def test_list(self, world, kind):
        assert world.get(f'/types/{kind}/extra_specs', **ADMIN)['extra_specs']['volume_backend_name'] == 'memory'

    def test_users_see_what_is_theirs_to_know(self, world, kind):
        assert world.get(f'/types/{kind}/extra_specs') == {'extra_specs': {'multiattach': '<is> True'}}
        world.refused(404, 'GET', f'/types/{kind}/extra_specs/volume_backend_name')

    def test_add(self, world, kind):
        assert world.post(f'/types/{kind}/extra_specs', {'extra_specs': {'a': 'b'}}, 200, **ADMIN) == {
            'extra_specs': {'a': 'b'}}
        assert world.get(f'/types/{kind}/extra_specs/a', **ADMIN) == {'a': 'b'}

    def test_set_one(self, world, kind):
        world.put(f'/types/{kind}/extra_specs/multiattach', {'multiattach': '<is> False'}, **ADMIN)
        assert world.get(f'/types/{kind}/extra_specs/multiattach') == {'multiattach': '<is> False'}

    def test_delete_one(self, world, kind):
        world.delete(f'/types/{kind}/extra_specs/multiattach', **ADMIN)
        world.refused(404, 'GET', f'/types/{kind}/extra_specs/multiattach', **ADMIN)

    def test_delete_what_is_not_there(self, world, kind):
        world.delete(f'/types/{kind}/extra_specs/x', 404, **ADMIN)

    def test_of_a_type_in_use(self, world, kind):
        world.create(volume_type='gold')
        world.refused(400, 'POST', f'/types/{kind}/extra_specs', {'extra_specs': {'a': 'b'}}, **ADMIN)

    @pytest.mark.parametrize('body', [{}, {'extra_specs': None}, {'extra_specs': {'a': 1}}, {'extra_specs': {'ä': 'x'}},
                                      {'extra_specs': {'a': 256 * 'x'}}])
    def test_wrong(self, world, kind, body):
        world.refused(400, 'POST', f'/types/{kind}/extra_specs', body, **ADMIN)

    @pytest.mark.parametrize('body', [{}, {'b': 'x'}, {'a': 1}, {'a': 'x', 'b': 'y'}])
    def test_wrong_one(self, world, kind, body):
        world.refused(400, 'PUT', f'/types/{kind}/extra_specs/a', body, **ADMIN)


class TestFilters:

    def test_by_extra_specs(self, world, make):
        make(extra_specs={'a': 'b'})
        assert names(world, "extra_specs=%7B'a':'b'%7D", version='3.52', **ADMIN) == ['gold']

    def test_what_users_may_not_see_they_cannot_ask_for(self, world, make):
        make(extra_specs={'a': 'b', 'multiattach': '<is> True'})
        assert names(world, "extra_specs=%7B'a':'b'%7D", version='3.52') == []
        assert names(world, "extra_specs=%7B'multiattach':'%3Cis%3E%20True'%7D", version='3.52') == ['gold']

    @pytest.mark.parametrize('who', [{}, ADMIN])
    def test_unknown_is_passed_over(self, world, make, who):
        """`cinder type-key gold set …` looks for the name so."""
        make()
        assert 'gold' in names(world, 'all_tenants=1&is_public=None&name=gold', **who)

    def test_wrong(self, world):
        world.refused(400, 'GET', '/types?is_public=perhaps', **ADMIN)
        world.refused(400, 'GET', '/types?extra_specs=x', **ADMIN)


class TestSizes:

    @pytest.fixture
    def gold(self, make):
        return make(extra_specs={'provisioning:min_vol_size': '2', 'provisioning:max_vol_size': '4'})

    @pytest.mark.parametrize('size', [1, 5])
    def test_create(self, world, gold, size):
        message = world.refused(400, 'POST', '/volumes', {'volume': {'size': size, 'volume_type': 'gold'}})
        assert message == f'Volume type gold allows 2 to 4 GiB, not {size}.'
        assert world.used() == {} and world.get('/volumes')['volumes'] == []

    def test_one_limit_alone(self, world, make):
        make('large', extra_specs={'provisioning:min_vol_size': '2'})
        make('small', extra_specs={'provisioning:max_vol_size': '2'})
        assert 'allows 2 to any number of GiB' in world.refused(
            400, 'POST', '/volumes', {'volume': {'size': 1, 'volume_type': 'large'}})
        assert 'allows 1 to 2 GiB' in world.refused(
            400, 'POST', '/volumes', {'volume': {'size': 3, 'volume_type': 'small'}})

    def test_of_a_copy_of_its_source(self, world, gold):
        id = world.create(4, volume_type='gold')
        assert 'not 5' in world.refused(400, 'POST', '/volumes', {'volume': {'size': 5, 'source_volid': id}})

    def test_extend(self, world, gold):
        id = world.create(2, volume_type='gold')
        world.extend(id, 4)
        world.run()
        assert world.extend(id, 5).message == 'Volume type gold allows at most 4 GiB, not 5.'
        assert (world.volume(id)['status'], world.volume(id)['size']) == ('available', 4)

    @pytest.mark.parametrize('value', ['two', '-1', '1.5', '\u00b2', '9999999999'])
    def test_wrong(self, world, make, value):
        specs = {'provisioning:max_vol_size': value}
        world.refused(400, 'POST', '/types', {'volume_type': {'name': 'x', 'extra_specs': specs}}, **ADMIN)
        id = make()
        world.refused(400, 'POST', f'/types/{id}/extra_specs', {'extra_specs': specs}, **ADMIN)
        world.refused(400, 'PUT', f'/types/{id}/extra_specs/provisioning:max_vol_size', specs, **ADMIN)


MANAGER = {'roles': 'manager,member,reader'}


class TestDefaults:

    def choose(self, world, name, project='p1', **kw):
        return world.put(f'/default-types/{project}', {'default_type': {'volume_type': name}}, **{**MANAGER, **kw})

    def test_a_project_chooses(self, world, make):
        id = make()
        assert self.choose(world, 'gold') == {'default_type': {'project_id': 'p1', 'volume_type_id': id}}
        assert world.get('/default-types/p1', **MANAGER) == {'default_type': {'project_id': 'p1', 'volume_type_id': id}}
        assert world.get('/types/default')['volume_type']['id'] == id
        assert world.volume(world.create())['volume_type'] == 'gold'
        assert world.volume(world.create(volume_type='__DEFAULT__'))['volume_type'] == '__DEFAULT__'

    def test_others_keep_theirs(self, world, make):
        make()
        self.choose(world, 'gold')
        assert world.get('/types/default', project='p2')['volume_type']['name'] == '__DEFAULT__'

    def test_another(self, world, make):
        make()
        self.choose(world, 'gold')
        self.choose(world, make('silver'))
        assert world.volume(world.create())['volume_type'] == 'silver'

    def test_no_longer(self, world, make):
        make()
        self.choose(world, 'gold')
        for _ in range(2):
            world.delete('/default-types/p1', 204, **MANAGER)
        world.refused(404, 'GET', '/default-types/p1', **MANAGER)
        assert world.volume(world.create())['volume_type'] == '__DEFAULT__'

    def test_list(self, world, make):
        ids = [make(), make('silver')]
        self.choose(world, 'silver', 'p2', **ADMIN)
        self.choose(world, 'gold')
        assert world.get('/default-types', **ADMIN) == {'default_types': [
            {'project_id': project, 'volume_type_id': id} for project, id in zip(['p1', 'p2'], ids, strict=True)]}

    def test_without_a_project_in_the_address(self, world, make):
        make()
        body = {'default_type': {'volume_type': 'gold'}}
        assert world.call('PUT', '/v3/default-types/p1', body, version='3.62', **MANAGER).status == 200
        assert len(world.call('GET', '/v3/default-types', version='3.62', **ADMIN).json['default_types']) == 1

    def test_before_3_62(self, world):
        world.refused(404, 'GET', '/default-types', version='3.61', **ADMIN)

    def test_is_not_deleted(self, world, make):
        id = make()
        self.choose(world, 'gold')
        assert 'stays' in world.refused(400, 'DELETE', f'/types/{id}', **ADMIN)

    def test_private(self, world, make):
        """Whoever chooses, it is for a project that may use the type; and only as long as it may."""
        id = make('mine', **{'os-volume-type-access:is_public': False})
        body = {'default_type': {'volume_type': 'mine'}}
        for who in (ADMIN, MANAGER):
            assert 'may use' in world.refused(400, 'PUT', '/default-types/p1', body, **who)
        world.post(f'/types/{id}/action', {'addProjectAccess': {'project': 'p1'}}, **ADMIN)
        self.choose(world, 'mine')
        assert world.volume(world.create())['volume_type'] == 'mine'
        world.post(f'/types/{id}/action', {'removeProjectAccess': {'project': 'p1'}}, **ADMIN)
        assert world.volume(world.create())['volume_type'] == '__DEFAULT__'

    @pytest.mark.parametrize('body', [{}, {'default_type': None}, {'default_type': {}},
                                      {'default_type': {'volume_type': ''}}, {'default_type': {'volume_type': 'none'}},
                                      {'default_type': {'volume_type': 'gold', 'x': 'y'}}])
    def test_wrong(self, world, make, body):
        make()
        world.refused(400, 'PUT', '/default-types/p1', body, **ADMIN)

    def test_limits_of_the_default_hold(self, world, make):
        make(extra_specs={'provisioning:min_vol_size': '2'})
        self.choose(world, 'gold')
        world.refused(400, 'POST', '/volumes', {'volume': {'size': 1}})


class TestEncryption:
    LUKS = {'provider': 'luks', 'cipher': 'aes-xts-plain64', 'key_size': 256, 'control_location': 'front-end'}

    @pytest.fixture
    def luks(self, world, make):
        id = make('luks')
        world.post(f'/types/{id}/encryption', {'encryption': self.LUKS}, 200, **ADMIN)
        return id

    def shown(self, world, id):
        return world.get(f'/types/{id}/encryption', **ADMIN)

    def test_none(self, world, make):
        assert self.shown(world, make()) == {}

    def test_create(self, world, make):
        id = make()
        made = world.post(f'/types/{id}/encryption', {'encryption': self.LUKS}, 200, **ADMIN)['encryption']
        assert made == {**self.LUKS, 'volume_type_id': id, 'encryption_id': made['encryption_id']}
        shown = self.shown(world, id)
        assert len(shown.pop('created_at')) == len('2026-01-02T15:04:05.999999')
        assert shown == {**made, 'updated_at': None, 'deleted': False, 'deleted_at': None}

    def test_little_is_said(self, world, make):
        id = make()
        world.post(f'/types/{id}/encryption', {'encryption': {'provider': 'luks', 'control_location': 'back-end',
                                                              'key_size': '512'}}, 200, **ADMIN)
        shown = self.shown(world, id)
        assert (shown['key_size'], shown['cipher'], shown['control_location']) == (512, None, 'back-end')

    def test_one_part(self, world, luks):
        assert world.get(f'/types/{luks}/encryption/provider', **ADMIN) == {'provider': 'luks'}
        world.refused(404, 'GET', f'/types/{luks}/encryption/colour', **ADMIN)

    def test_twice(self, world, luks):
        assert 'exists' in world.refused(400, 'POST', f'/types/{luks}/encryption', {'encryption': self.LUKS}, **ADMIN)

    @pytest.mark.parametrize('last', ['provider', 'id'])
    def test_update(self, world, luks, last):
        """cinder's address ends in `provider`, openstack's in the id."""
        last = self.shown(world, luks)['encryption_id'] if last == 'id' else last
        assert world.put(f'/types/{luks}/encryption/{last}', {'encryption': {'key_size': 512}}, **ADMIN) == {
            'encryption': {'key_size': 512}}
        shown = self.shown(world, luks)
        assert (shown['key_size'], shown['provider']) == (512, 'luks') and shown['updated_at'] > shown['created_at']

    def test_delete(self, world, luks):
        world.delete(f'/types/{luks}/encryption/provider', **ADMIN)
        assert self.shown(world, luks) == {}
        assert world.volume(world.create(volume_type='luks'))['encrypted'] is False

    def test_nothing_to_change(self, world, make):
        id = make()
        world.refused(404, 'PUT', f'/types/{id}/encryption/provider', {'encryption': {'key_size': 512}}, **ADMIN)
        world.refused(404, 'DELETE', f'/types/{id}/encryption/provider', **ADMIN)

    def test_of_a_type_in_use(self, world, make):
        id = make()
        world.create(volume_type='gold')
        assert 'in use' in world.refused(400, 'POST', f'/types/{id}/encryption', {'encryption': self.LUKS}, **ADMIN)

    def test_no_volume_is_made_that_only_says_it_is_encrypted(self, world, luks):
        assert 'keys' in world.refused(400, 'POST', '/volumes', {'volume': {'size': 1, 'volume_type': 'luks'}})
        assert world.used() == {}

    def test_users_do_not_see_it(self, world, luks):
        world.refused(403, 'GET', f'/types/{luks}/encryption')

    @pytest.mark.parametrize('change', [{'provider': None}, {'provider': 256 * 'x'}, {'control_location': 'nowhere'},
                                        {'key_size': -1}, {'key_size': 'x'}, {'key_size': 2 ** 31}, {'cipher': 1}])
    def test_wrong(self, world, make, change):
        world.refused(400, 'POST', f'/types/{make()}/encryption', {'encryption': {**self.LUKS, **change}}, **ADMIN)

    @pytest.mark.parametrize('missing', ['provider', 'control_location'])
    def test_missing(self, world, make, missing):
        body = {name: value for name, value in self.LUKS.items() if name != missing}
        world.refused(400, 'POST', f'/types/{make()}/encryption', {'encryption': body}, **ADMIN)
