"""What onebox configures, and how an operator's own file in the state folder changes it."""
import pytest

from onebox import arguments, settings
from onebox.state import State


@pytest.fixture
def state(tmp_path):
    return State(tmp_path)


def volsvc(state, *words):
    return settings.volsvc(arguments.parse(words), state, 'http://id/v3', 'secret')


def computesvc(state, *words):
    return settings.computesvc(arguments.parse(words), state, 'http://id/v3', 'secret')


def test_without_a_file(state):
    conf = volsvc(state, '--volume-port', '9')
    assert (conf.enabled_backends, conf.api.port, conf.service.host) == (['file'], 9, 'onebox')
    assert computesvc(state).my_ip == '127.0.0.1'


def test_a_file_goes_before(state):
    state.configuration('volsvc').write_text('[DEFAULT]\nenabled_backends = file,memory\n[file]\npath = /elsewhere\n')
    state.configuration('computesvc').write_text('[DEFAULT]\nmy_ip = 10.0.0.1\n[agent]\nsweep_interval = 1\n')
    conf = volsvc(state, '--volume-port', '9')
    assert (conf.enabled_backends, conf.file.path, conf.api.port) == (['file', 'memory'], '/elsewhere', 9)
    conf = computesvc(state)
    assert (conf.my_ip, conf.agent.sweep_interval, conf.service.host) == ('10.0.0.1', 1, 'onebox')


def test_lvm_needs_a_volume_group(state):
    with pytest.raises(settings.Unusable, match=r'volume_group = NAME.*volsvc\.conf'):
        volsvc(state, '--backend', 'lvm')
    state.configuration('volsvc').write_text('[lvm]\nvolume_group = lab\n')
    assert volsvc(state, '--backend', 'lvm').lvm.volume_group == 'lab'


def test_a_file_that_is_none(state):
    state.configuration('volsvc').write_text('volume_group\n')
    with pytest.raises(settings.Unusable, match=r'volsvc\.conf'):
        volsvc(state)
