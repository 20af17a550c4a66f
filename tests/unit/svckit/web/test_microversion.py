"""Microversions: which one a request asks for."""
import pytest

from svckit import errors
from svckit.web import Microversion, Versions

VOLUME = Versions(('volume', 'block-storage'), '3.0', '3.71', path='/v3', id='v3.0')
COMPUTE = Versions(('compute',), '2.1', '2.96', path='/v2.1', id='v2.1', single=True,
                   legacy_header='X-OpenStack-Nova-API-Version')


def asked(versions, header=None, legacy=None):
    environ = {}
    if header is not None:
        environ['HTTP_OPENSTACK_API_VERSION'] = header
    if legacy is not None:
        environ['HTTP_X_OPENSTACK_NOVA_API_VERSION'] = legacy
    return str(versions.of(environ))


def test_they_compare_as_numbers():
    assert Microversion(3, 9) < Microversion.of('3.42') < (3, 100)


@pytest.mark.parametrize('header, version', [
    (None, '3.0'), ('volume 3.42', '3.42'), ('block-storage 3.59', '3.59'), ('volume latest', '3.71'),
    ('compute 2.90, volume 3.8', '3.8'), ('compute 2.90', '3.0'), ('Volume  3.5 ', '3.5'), ('', '3.0'),
    ('volume LATEST', '3.71')])
def test_block_storage(header, version):
    assert asked(VOLUME, header) == version
    assert asked(VOLUME, header) == version


@pytest.mark.parametrize('header, legacy, version', [
    (None, '2.60', '2.60'), (None, 'latest', '2.96'), ('compute 2.89', None, '2.89'),
    ('compute 2.89', '2.60', '2.89'), ('volume 3.42', '2.5', '2.5'), (None, '', '2.1')])
def test_compute(header, legacy, version):
    assert asked(COMPUTE, header, legacy) == version


def test_block_storage_has_no_older_header():
    assert asked(VOLUME, None, '3.42') == '3.0'


@pytest.mark.parametrize('header', ['volume 3.72', 'volume 2.9', 'volume 4.0', 'volume 3.1000'])
def test_out_of_range_is_not_acceptable_and_tells_the_range(header):
    with pytest.raises(errors.NotAcceptable, match='Minimum is 3.0 and maximum is 3.71'):
        asked(VOLUME, header)


@pytest.mark.parametrize('version', ['3', '3.', 'x', '3.4.2', '03.4', '3.04', '-1.2', '3.99999', '3.1 3.2', ''])
def test_nonsense_is_a_bad_request(version):
    with pytest.raises(errors.BadRequest, match='invalid format'):
        asked(VOLUME, f'volume {version}')


def test_the_answer_says_which_and_what_it_varies_by():
    assert VOLUME.headers(Microversion(3, 42)) == [
        ('OpenStack-API-Version', 'volume 3.42'), ('Vary', 'OpenStack-API-Version')]
    assert COMPUTE.headers(Microversion(2, 9)) == [
        ('OpenStack-API-Version', 'compute 2.9'), ('Vary', 'OpenStack-API-Version'),
        ('X-OpenStack-Nova-API-Version', '2.9'), ('Vary', 'X-OpenStack-Nova-API-Version')]
