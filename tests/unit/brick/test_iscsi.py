"""Logging in to iSCSI portals, with an iscsiadm that keeps records as the real one does and lets nobody in."""

import os

import pytest

import brick
from brick import errors, node_records, privileged

IQN, SECRET = 'iqn.2010-10.org.openstack:volume-1', 'Tr0ub4dor&3'
ISCSIADM = '''#!/bin/sh
# iscsiadm 2.1.8: -m node -T IQN -p PORTAL [--interface default] [--op new|delete|--login|--logout]
PATH=/usr/bin:/bin
echo "$@" >>"$HOME/told"
record="$HOME/nodes/$4/$(echo "$6" | tr : ,)"
case "$*" in
    '-m node') cd "$HOME/nodes" && for file in */*; do
        echo "$(basename "$file" | tr , :),4294967295 ${file%/*}"; done ;;
    *'--op new') mkdir -p "${record%/*}"; printf '# BEGIN RECORD 2.1.8\\n# END RECORD\\n' >"$record" ;;
    *'--op delete') rm "$record" && rmdir "${record%/*}" 2>/dev/null; true ;;
    *--login) cat "$record" >>"$HOME/seen"; echo 'initiator reported error (24 - iSCSI login failed)' >&2; exit 24 ;;
    *--logout) exit 21 ;;
    *) [ -e "$record" ] || { echo 'iscsiadm: No records found' >&2; exit 21; } ;;
esac
'''


@pytest.fixture
def home(tmp_path, monkeypatch):
    program = tmp_path / 'bin' / 'iscsiadm'
    program.parent.mkdir()
    program.write_text(ISCSIADM)
    program.chmod(0o755)
    monkeypatch.setitem(privileged._ENVIRONMENT, 'PATH', str(program.parent))         # and no real one
    monkeypatch.setitem(privileged._ENVIRONMENT, 'HOME', str(tmp_path))
    monkeypatch.setattr(node_records, 'FOLDERS', (str(tmp_path / 'nodes'),))
    brick.setup(lock_path=str(tmp_path / 'locks'))
    from os_brick import utils
    monkeypatch.setattr(utils, '_time_sleep', lambda seconds: None)
    privileged.context.set_client_mode(False)
    yield tmp_path
    privileged.context.set_client_mode(True)


@pytest.mark.parametrize('multipath', [True, False])
def test_login_that_is_refused(home, caplog, multipath):
    data = {'target_portals': ['10.0.0.1:3260', '10.0.0.2:3260'], 'target_iqns': [IQN] * 2, 'target_luns': [1] * 2,
            'auth_method': 'CHAP', 'auth_username': 'user', 'auth_password': SECRET}
    caplog.set_level('DEBUG')
    with pytest.raises(errors.ConnectFailed) as said:
        brick.connector_for('iscsi', multipath=multipath).connect(data)
    assert str(said.value) == (
        f'LUN 1 of {IQN} could not be connected: 10.0.0.1:3260 refuses the CHAP name or secret; '
        '10.0.0.2:3260 refuses the CHAP name or secret')
    seen = (home / 'seen').read_text()
    assert f'node.session.auth.password = {SECRET}\n' in seen and 'node.session.auth.username = user\n' in seen
    assert SECRET not in (home / 'told').read_text() and SECRET not in caplog.text
    assert os.listdir(home / 'nodes') == [], 'no record is left'


def test_what_was_there_is_kept(home):
    from brick import initiators
    data = {'target_portal': '10.0.0.1:3260', 'target_iqn': IQN, 'target_lun': 1}
    connector = brick.connector_for('iscsi', multipath=True)
    through = initiators.Iscsi(True, 1, 'the volume')
    with pytest.raises(errors.ConnectFailed, match='the volume could not be connected: 10.0.0.1:3260 refuses'):
        through.connect(connector.properties(data), keep=True)
    assert os.listdir(home / 'nodes') == [IQN]


def test_no_iscsiadm(home):
    (home / 'bin' / 'iscsiadm').unlink()
    data = {'target_portal': '10.0.0.1:3260', 'target_iqn': IQN, 'target_lun': 1}
    with pytest.raises(errors.ConnectFailed, match='10.0.0.1:3260 cannot be logged in to: .*not installed'):
        brick.connector_for('iscsi').connect(data)
