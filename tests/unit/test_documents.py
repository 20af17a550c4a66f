"""What the documents name exists: files, folders, commands, and the ten stops of the reading order."""
import configparser
import pathlib
import re

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
DOCUMENTS = [ROOT / 'README.rst', ROOT / 'CONTRIBUTING.rst', *sorted((ROOT / 'doc').glob('*.rst'))]
OURS = ('brick', 'benchmarks', 'computesvc', 'doc', 'etc', 'onebox', 'svckit', 'tests', 'volsvc')


@pytest.fixture(params=DOCUMENTS, ids=lambda path: path.name)
def document(request):
    return request.param


def test_links_lead_somewhere(document):
    for target in re.findall(r'`[^`<]+<([^>`]+)>`_', document.read_text()):
        if '://' not in target:
            assert (document.parent / target).exists(), f'{document.name} links to {target}'


def test_paths_exist(document):
    """A literal that starts with one of our folders and has no placeholder is a path."""
    for literal in re.findall(r'``([^`]+)``', document.read_text()):
        if re.fullmatch(rf'({"|".join(OURS)})/[\w./]*', literal):
            assert (ROOT / literal).exists(), f'{document.name} names {literal}'


def test_stack_commands_exist(document):
    known = set(re.findall(r'^  (\w+) ', (ROOT / 'stack.sh').read_text(), re.MULTILINE))
    for command in re.findall(r'\./stack\.sh (\w+)', document.read_text()):
        assert command in known, f'{document.name} names ./stack.sh {command}'


def test_installed_commands_exist(document):
    setup = configparser.ConfigParser()
    setup.read(ROOT / 'setup.cfg')
    scripts = setup['options.entry_points']['console_scripts'].strip().splitlines()
    known = {line.split('=')[0].strip() for line in scripts}
    for command in re.findall(r'\b((?:volsvc|computesvc)-[a-z]+)\b', document.read_text()):
        assert command in known, f'{document.name} names {command}'


def test_the_reading_order_has_ten_stops():
    stops = re.findall(r'^#\. `([^ ]+) <\1>`_', (ROOT / 'README.rst').read_text(), re.MULTILINE)
    assert len(stops) == 10
    assert [stop for stop in stops if not (ROOT / stop).is_file()] == []
