"""Key pairs by version: types, users, pages, and keys made here."""
import pytest
from cryptography.hazmat.primitives import serialization

KEY = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBzq8A4c9mH0cQp0i3x9l0b9r8m1n2o3p4q5r6s7t8u9 me@here'


def add(world, name, status=201, version='2.96', **values):
    return world.post('/os-keypairs', {'keypair': {'name': name, 'public_key': KEY, **values}}, status,
                      version=version).json


def test_pages(world):
    for name in 'cabd':
        add(world, name)
    page = world.get('/os-keypairs?limit=3')
    assert [k['keypair']['name'] for k in page['keypairs']] == ['a', 'b', 'c']
    more = world.call('GET', page['keypairs_links'][0]['href'].removeprefix('http://compute:80')).json
    assert [k['keypair']['name'] for k in more['keypairs']] == ['d']
    assert len(world.get('/os-keypairs?limit=3', version='2.34')['keypairs']) == 4
    assert world.call('GET', '/v2.1/os-keypairs?marker=none').status == 404
    assert world.call('GET', '/v2.1/os-keypairs?nonsense=1', version='2.75').status == 400


def test_made_here(world):
    """Before 2.92; the private key is told once."""
    body = {'keypair': {'name': 'mine'}}
    assert world.call('POST', '/v2.1/os-keypairs', body, version='2.92').status == 400
    made = world.post('/os-keypairs', body, 200, version='2.1').json['keypair']
    private = serialization.load_pem_private_key(made['private_key'].encode(), None)
    public = private.public_key().public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
    assert made['public_key'].startswith(public.decode()) and 'type' not in made
    shown = world.get('/os-keypairs/mine')['keypair']
    assert 'private_key' not in shown and shown['public_key'] == made['public_key']


def test_of_other_users(world):
    admin = {'roles': 'admin', 'user': 'root'}
    assert world.call('POST', '/v2.1/os-keypairs', {'keypair': {'name': 'k', 'public_key': KEY, 'user_id': 'u2'}},
                      **admin).status == 201
    assert world.get('/os-keypairs?user_id=u2', **admin)['keypairs'][0]['keypair']['name'] == 'k'
    assert world.get('/os-keypairs?user_id=u2', version='2.9', **admin)['keypairs'] == []
    assert world.call('GET', '/v2.1/os-keypairs?user_id=u2').status == 403
    assert world.call('DELETE', '/v2.1/os-keypairs/k?user_id=u2', **admin).status == 204


@pytest.mark.parametrize('values, version', [
    ({'name': 'a@b.c'}, '2.91'), ({'type': 'x509'}, '2.96'), ({'type': 'ssh'}, '2.1'), ({'user_id': 'u1'}, '2.9'),
    ({'name': ' '}, '2.1'), ({'name': 'a/b'}, '2.96'), ({'public_key': ''}, '2.1'), ({'public_key': 'x'}, '2.96'),
    ({'nonsense': 1}, '2.96'), ({'type': 'rsa'}, '2.96')])
def test_refused(world, values, version):
    add(world, status=400, version=version, **({'name': 'k'} | values))
    assert world.get('/os-keypairs')['keypairs'] == []


def test_as_many_as_the_quota_has(world):
    assert add(world, 'a@b.c')['keypair']['name'] == 'a@b.c'
    world.call('PUT', '/v2.1/os-quota-sets/p1', {'quota_set': {'key_pairs': 1}}, roles='admin')
    assert 'too many key pairs' in add(world, 'k2', 403)['forbidden']['message']
