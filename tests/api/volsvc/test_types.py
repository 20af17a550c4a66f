"""Volume types, their extra specs, and who may use them."""
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

    def test_encryption(self, world, make):
        assert world.get(f'/types/{make()}/encryption', **ADMIN) == {}


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
        world.post(f'/types/{make()}/action', {'addProjectAccess': {'project': 'p1'}}, 409, **ADMIN)

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

    @pytest.mark.parametrize('who', [{}, ADMIN])
    def test_unknown_is_passed_over(self, world, make, who):
        """`cinder type-key gold set …` looks for the name so."""
        make()
        assert 'gold' in names(world, 'all_tenants=1&is_public=None&name=gold', **who)

    def test_wrong(self, world):
        world.refused(400, 'GET', '/types?is_public=perhaps', **ADMIN)
        world.refused(400, 'GET', '/types?extra_specs=x', **ADMIN)
