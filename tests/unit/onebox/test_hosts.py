"""The hosts of one onebox: as many as are wanted, and the same ones at the next start."""
import pytest

from onebox import arguments, hosts, settings
from onebox.hypervisor import Choice
from onebox.state import State


def names(made):
    return [host.name for host in made]


def test_one_has_its_things_in_the_state_folder_itself(tmp_path):
    made, = hosts.make(tmp_path, None, 'file')
    assert (made.name, made.folder, made.is_first) == ('onebox', tmp_path, True)
    assert made.servers.is_dir()


def test_the_next_start_finds_all_of_them(tmp_path):
    first = hosts.make(tmp_path, 3, 'file')
    assert names(first) == ['onebox', 'onebox-2', 'onebox-3']
    assert len({host.folder for host in first}) == len({host.address for host in first}) == 3
    assert hosts.make(tmp_path, None, 'file') == hosts.known(tmp_path) == first
    assert names(hosts.make(tmp_path, 4, 'file')) == [*names(first), 'onebox-4']


def test_none_is_left_behind(tmp_path):
    hosts.make(tmp_path, 2, 'file')
    with pytest.raises(hosts.Unusable, match='has 2 hosts. Without onebox-2'):
        hosts.make(tmp_path, 1, 'file')


def test_one_initiator_is_one_host(tmp_path):
    with pytest.raises(hosts.Unusable, match='iSCSI'):
        hosts.make(tmp_path, 2, 'lvm')
    assert names(hosts.make(tmp_path, None, 'lvm')) == ['onebox']      # nothing of the second is there


@pytest.mark.parametrize('number', ['0', '9', '-1', 'two', ''])
def test_numbers_that_are_none(number, capsys):
    with pytest.raises(SystemExit):
        arguments.parse(['--hosts', number])
    assert 'from 1 to 8' in capsys.readouterr().err


def test_each_agent_has_its_own_name_address_and_folder_whatever_the_file_says(tmp_path):
    state = State(tmp_path)
    state.configuration('computesvc').write_text(
        '[DEFAULT]\nmy_ip = 10.0.0.1\nstate_path = /elsewhere\n[service]\nhost = mine\n[agent]\nsweep_interval = 7\n')
    _, second = hosts.make(tmp_path, 2, 'file')
    conf = settings.agent(second, arguments.parse([]), state, 'http://id/v3', 'secret')
    assert (conf.service.host, conf.my_ip, conf.state_path) == ('onebox-2', '127.0.0.2', str(second.servers))
    assert (conf.agent.sweep_interval, conf.agent.lock_path) == (7, '/elsewhere/locks')


def test_hosts_that_only_remember_have_a_memory_each(tmp_path):
    made = hosts.make(tmp_path, 2, 'file')
    choice = Choice('memory', tmp_path, made)
    about, *lines = choice.decide()
    assert about == 'memory: servers are only remembered, on 2 hosts'
    assert [line.split() for line in lines] == [['host', 'onebox', '127.0.0.1'], ['host', 'onebox-2', '127.0.0.2']]
    for host, hypervisor in zip(made, choice.hypervisors(None), strict=True):
        hypervisor.define({'id': host.name}, [], [])
    assert [list(hypervisor.servers()) for hypervisor in choice.hypervisors(None)] == [['onebox'], ['onebox-2']]
    assert Choice('memory', tmp_path, made[:1]).decide() == ['memory: servers are only remembered']
