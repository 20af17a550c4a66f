"""computesvc-manage, as an operator types it."""
from computesvc.cmd import manage


def test_a_new_installation(tmp_path, capsys):
    file = tmp_path / 'computesvc.conf'
    file.write_text(f'[database]\nconnection = sqlite:///{tmp_path}/new.sqlite\n')

    def run(*words):
        return manage.main(['--config-file', str(file), *words]), capsys.readouterr().out
    assert run('check') == (1, 'The schema is not up to date: run computesvc-manage db sync.\n')
    assert run('db', 'sync') == (0, 'The schema was brought up to date.\n')
    assert run('flavors', 'seed')[1].endswith('flavors were added.\n')
    assert run('flavors', 'seed') == (0, '0 flavors were added.\n')
    assert run('operations', 'list') == run('services', 'list') == run('quota', 'repair') == (0, '')
    assert run('check') == (1, 'No nova-conductor reports.\nNo nova-compute reports.\n')
