"""The machine has what the other tests take for granted."""
import pathlib
import subprocess

import pytest


def output(*command) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=20).stdout


def test_a_volume_group_is_there():
    assert output('vgs', '--noheadings', '-o', 'vg_name').split() == ['lab']


def test_multipathd_answers():
    assert 'idle' in output('multipathd', 'show', 'daemon')


def test_the_initiator_has_a_name_and_no_session():
    assert 'lab-node' in pathlib.Path('/etc/iscsi/initiatorname.iscsi').read_text()
    assert not list(pathlib.Path('/sys/class').glob('iscsi_session/*'))


@pytest.mark.parametrize('number', [1, 8])
def test_portals_have_addresses(number):
    assert f'10.11.{number}.1/32' in output('ip', '-brief', 'address', 'show', 'lo')


def test_the_kernel_can_be_a_target():
    assert pathlib.Path('/sys/kernel/config/target').is_dir()
