"""Configuration: defaults, files, the command line, overrides."""
import pathlib

import pytest
from oslo_config import cfg

from svckit import conf as configuration

ETC = pathlib.Path(__file__).parents[3] / 'etc'
OPTS = {None: [cfg.StrOpt('flavour', default='plain')], 'disk': [cfg.IntOpt('size', default=1)]}


def load(**kwargs):
    return configuration.load('testsvc', OPTS, **{'files': [], **kwargs})


def test_defaults():
    conf = load()
    assert (conf.flavour, conf.disk.size, conf.api.max_body, conf.api.auth_strategy) == (
        'plain', 1, 65536, 'keystone')
    assert conf.database.connection is None and conf.transport_url == 'rabbit://'


def test_overrides():
    conf = load(flavour='hot', disk__size=3, database__connection='sqlite://', transport_url='fake://')
    assert (conf.flavour, conf.disk.size, conf.database.connection, conf.transport_url) == (
        'hot', 3, 'sqlite://', 'fake://')


def test_files_and_command_line(tmp_path):
    file = tmp_path / 'testsvc.conf'
    file.write_text('[DEFAULT]\nflavour = mild\n[disk]\nsize = 7\n[api]\nport = 99\n')
    conf = load(files=None, args=['--config-file', str(file), '--concurrency', 'threads'])
    assert (conf.flavour, conf.disk.size, conf.api.port, conf.concurrency) == ('mild', 7, 99, 'threads')


def test_two_services_in_one_process_do_not_share_anything():
    assert load(disk__size=3).disk.size == 3 and load().disk.size == 1


def test_a_wrong_override_is_an_error():
    with pytest.raises(cfg.NoSuchOptError):
        load(disk__sizes=3)


def test_what_is_said_of_tokens_waits_for_the_middleware():
    conf = load(keystone_authtoken__www_authenticate_uri='http://id', keystone_authtoken__auth_type='password',
                keystone_authtoken__username='cinder')
    configuration.register_authtoken(conf)
    assert conf.keystone_authtoken.www_authenticate_uri == 'http://id'
    assert conf.keystone_authtoken.username == 'cinder'


def test_oslo_messaging_can_be_used_with_these_options():
    import oslo_messaging
    conf = load(transport_url='fake://')
    transport = oslo_messaging.get_rpc_transport(conf)
    assert transport._driver.__class__.__name__ == 'FakeDriver'


def test_every_option_can_be_listed_for_a_sample():
    names = {option.dest for _, options in configuration.list_opts() for option in options}
    assert {'auth_strategy', 'max_body', 'poll'} <= names


@pytest.mark.parametrize('service', ['volsvc', 'computesvc'])
@pytest.mark.parametrize('option', ['max_pool_size', 'max_overflow'])
def test_a_sample_shows_the_defaults_that_hold_here(service, option):
    """Not those of the library whose options they are."""
    sample = ETC.joinpath(service, f'{service}.conf.sample').read_text()
    assert f'\n#{option} = {load().database[option]}\n' in sample


def test_files_may_go_before_what_the_caller_says(tmp_path):
    file = tmp_path / 'testsvc.conf'
    file.write_text('[disk]\nsize = 7\n')
    conf = load(files=[str(file)], files_win=True, flavour='hot', disk__size=3)
    assert (conf.flavour, conf.disk.size) == ('hot', 7)
