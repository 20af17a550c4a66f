"""CHAP in open-iscsi's records, as iscsiadm 2.1.8 writes them."""

import os

import pytest

from brick import node_records
from brick.errors import BadConnection

IQN = 'iqn.2010-10.org.openstack:volume-1'
RECORD = '''# BEGIN RECORD 2.1.8
node.name = iqn.2010-10.org.openstack:volume-1
node.startup = manual
node.session.auth.authmethod = None
node.session.auth.chap_algs = MD5
# END RECORD
'''


@pytest.fixture
def nodes(tmp_path, monkeypatch):
    monkeypatch.setattr(node_records, 'FOLDERS', (str(tmp_path / 'nodes'), str(tmp_path / 'none')))
    folder = tmp_path / 'nodes' / IQN
    folder.mkdir(parents=True)
    return folder


def test_record_of_an_unknown_group(nodes):
    (nodes / '10.0.0.1,3260').write_text(RECORD)
    (nodes / '10.0.0.2,3260').write_text(RECORD)
    node_records.prepare(IQN, '10.0.0.1', 3260, 'user', 'first')
    node_records.prepare(IQN, '10.0.0.1', 3260, 'user', 'seCret = # x')
    lines = (nodes / '10.0.0.1,3260').read_text().splitlines()
    assert lines[0].startswith('# BEGIN') and lines[-1] == '# END RECORD'
    assert 'node.session.auth.password = seCret = # x' in lines and 'node.session.auth.authmethod = CHAP' in lines
    assert 'node.session.scan = manual' in lines
    assert 'node.session.auth.authmethod = None' not in lines and 'node.session.auth.chap_algs = MD5' in lines
    assert len(lines) == len(RECORD.splitlines()) + 3
    assert os.stat(nodes / '10.0.0.1,3260').st_mode & 0o777 == 0o600
    assert (nodes / '10.0.0.2,3260').read_text() == RECORD
    assert sorted(os.listdir(nodes.parent.parent)) == ['nodes'], 'nothing is left beside'


def test_record_of_a_known_group(nodes):
    (nodes / 'fd00::1,3260,1').mkdir()
    (nodes / 'fd00::1,3260,1' / 'default').write_text(RECORD)
    node_records.prepare(IQN, 'fd00::1', 3260, 'user', 'secret')
    assert 'node.session.auth.password = secret' in (nodes / 'fd00::1,3260,1' / 'default').read_text()


def test_without_chap(nodes):
    (nodes / '10.0.0.1,3260').write_text(RECORD)
    node_records.prepare(IQN, '10.0.0.1', 3260)
    lines = (nodes / '10.0.0.1,3260').read_text().splitlines()
    assert lines == [*RECORD.splitlines()[:-1], 'node.session.scan = manual', '# END RECORD']


def test_no_record(nodes):
    with pytest.raises(BadConnection, match='no record of iqn.2010-10.org.openstack:volume-1 at 10.0.0.1 port 3260'):
        node_records.prepare(IQN, '10.0.0.1', 3260, 'user', 'secret')
