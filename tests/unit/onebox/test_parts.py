"""The smaller parts of onebox: the folder, clouds.yaml, the terminal, what the demonstration computes."""
import io
import os
import stat

import pytest
import yaml

from onebox import arguments, files, measure
from onebox.clouds import CLOUDS, SERVICES, Clouds
from onebox.state import State, Taken
from onebox.terminal import Screen, duration


class TestState:
    def test_one_at_a_time(self, tmp_path):
        first, second = State(tmp_path / 'a' / 'b'), State(tmp_path / 'a' / 'b')
        first.lock()
        with pytest.raises(Taken, match=f'process {os.getpid()}'):
            second.lock()
        os.close(first._lock)
        second.lock()

    def test_nobody_else_may_look(self, tmp_path):
        state = State(tmp_path / 'new')
        assert {stat.S_IMODE(path.stat().st_mode) for path in (state.folder, state.identity, state.volumes)} == {0o700}


class TestFiles:
    def test_replaced_whole_and_private(self, tmp_path):
        path = tmp_path / 'file'
        files.write(path, 'one')
        path.chmod(0o644)
        files.write(path, 'two')
        assert (path.read_text(), stat.S_IMODE(path.stat().st_mode)) == ('two', 0o600)
        assert os.listdir(tmp_path) == ['file']

    def test_what_a_crash_left_is_no_obstacle(self, tmp_path):
        (tmp_path / 'file.new').write_text('half')
        files.write(tmp_path / 'file', 'whole')
        assert (tmp_path / 'file').read_text() == 'whole'


class TestClouds:
    def test_passwords_stay_when_the_port_changes(self, tmp_path):
        path = tmp_path / 'clouds.yaml'
        clouds = Clouds(path)
        new = clouds.passwords_to_set()
        assert set(new) == {'demo', 'admin'}
        clouds.write('http://127.0.0.1:1/v3')
        again = Clouds(path)
        assert again.passwords_to_set() == {}
        again.write('http://127.0.0.1:2/v3')
        auth = yaml.safe_load(path.read_text())['clouds']['onebox']['auth']
        assert (auth['auth_url'], auth['password']) == ('http://127.0.0.1:2/v3', new['demo'])
        assert stat.S_IMODE(path.stat().st_mode) == 0o600

    def test_other_clouds_are_left_alone(self, tmp_path):
        path = tmp_path / 'clouds.yaml'
        path.write_text('clouds: {elsewhere: {auth: {auth_url: https://example.org}}}\n')
        clouds = Clouds(path, {**CLOUDS, **SERVICES})
        clouds.passwords_to_set()
        clouds.write('http://127.0.0.1:1/v3')
        assert set(yaml.safe_load(path.read_text())['clouds']) == {
            'elsewhere', 'onebox', 'onebox-admin', 'volsvc', 'computesvc'}


class TestArguments:
    def test_defaults(self):
        options = arguments.parse([])
        assert (options.identity_port, options.volume_port, options.compute_port, options.image_port) == (
            5000, 8776, 8774, 9292)
        assert (options.host, options.hypervisor, options.backend) == ('127.0.0.1', 'auto', 'file')

    @pytest.mark.parametrize('words', [['--image-port', '65536'], ['--image-port', '-1'], ['--only', 'compute'],
                                       ['--backend', 'tape'], ['rubbish']])
    def test_nonsense(self, words, capsys):
        with pytest.raises(SystemExit):
            arguments.parse(words)
        assert 'usage' in capsys.readouterr().err


class Terminal(io.StringIO):
    def isatty(self):
        return True


class TestScreen:
    def test_bars_share_one_axis_and_none_is_invisible(self):
        stream = io.StringIO()
        Screen(stream, columns=60).bars([('first', 0, 1), ('second', 1, 1), ('last', 2, 0.0001)])
        first, second, last = stream.getvalue().splitlines()
        assert first.index('█') < second.index('█') <= last.rindex('▏') and last.strip().endswith('0.1 ms')
        assert first.count('█') == second.count('█') > 5
        assert len({len(line) for line in (first, second, last)}) == 1

    def test_tables_line_up(self):
        stream = io.StringIO()
        Screen(stream).table(['who', 'before'], [['volume service', '1 GiB'], ['guest', '1 GiB']])
        heads, _, *rows = stream.getvalue().splitlines()
        assert {row.index('1 GiB') for row in rows} == {heads.index('before')}

    @pytest.mark.parametrize('stream, environ, coloured', [
        (Terminal(), {}, True), (Terminal(), {'NO_COLOR': '1'}, False), (Terminal(), {'TERM': 'dumb'}, False),
        (io.StringIO(), {}, False)])
    def test_colour_on_terminals_only(self, stream, environ, coloured):
        screen = Screen(stream, environ)
        screen.good('fine')
        screen.bad('bad')
        screen.heading('part')
        assert ('\033' in stream.getvalue()) == coloured

    def test_no_line_is_rewritten_where_that_is_impossible(self):
        stream = io.StringIO()
        with Screen(stream).busy('waiting'):
            pass
        assert stream.getvalue() == ''

    def test_durations(self):
        assert (duration(0.0123), duration(12.345)) == ('12.3 ms', '12.35 s')


def operation(name, state='done', created=100.0, steps=(), children=(), error=None):
    return {'name': name, 'state': state, 'created_at': created, 'error': error, 'children': list(children),
            'steps': [{'name': step, 'state': 'done' if end else 'pending', 'finished_at': end, 'seconds': took}
                      for step, end, took in steps]}


class TestMeasure:
    def test_the_end_is_known_when_both_services_have_ended(self):
        volume = [('volume', operation('extend-volume')), ('volume', operation('tell-server'))]
        assert not measure.ended(volume)
        assert not measure.ended([*volume, ('compute', operation('extend-volume', 'running'))])
        assert measure.ended([*volume, ('compute', operation('extend-volume'))])

    def test_failures_are_named(self):
        assert measure.failure([('volume', operation('extend-volume'))]) is None
        said = measure.failure([('compute', operation('extend-volume', 'stuck', error='no such disk'))])
        assert said == 'extend-volume of the compute service is stuck: no such disk'

    def test_bars_begin_where_the_step_before_ended(self):
        found = measure.bars([
            ('volume', operation('extend-volume', steps=[('grow', 100.5, 0.5), ('record', 100.75, 0.25)])),
            ('compute', operation('extend-volume', created='1970-01-01T00:01:41', steps=[('guest', None, None)]))])
        assert [(label.split()[-1], begin, took) for label, begin, took in found] == [
            ('grow', 0, 0.5), ('record', 0.5, 0.25)]

    def test_times_in_both_notations(self):
        assert measure.seconds(12.5) == measure.seconds('1970-01-01T00:00:12.500000') == 12.5
        assert measure.seconds('1970-01-01T00:00:12Z') == 12
