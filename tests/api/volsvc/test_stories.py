"""Stories of volsvc's API, each a file of stories/: requests in their order, with what each is answered (gabbi).

There are: FREE, a volume of 2 GiB that nobody uses, with the SNAPSHOT; USED, one of 2 GiB that the server SERVER has
by the ATTACHMENT; TYPE, a type without volumes; IMAGE, of 1 GiB; HOST, of the backend; LONG, 256 letters.  All of it
is project p1's, and so is who asks, at the newest version, where a story says nothing else.  What workers do is done
before the answer is there.
Besides gabbi's own checks there is

    response_fault: {badRequest: the whole message, or /a regular expression/}
"""
import pathlib
import re
import unittest

import pytest
import yaml
from gabbi import suitemaker
from gabbi.handlers import RESPONSE_HANDLERS
from gabbi.handlers.base import ResponseHandler

from tests.api.volsvc.world import LATEST

STORIES = pathlib.Path(__file__).with_name('stories')
HEADERS = {'content-type': 'application/json', 'openstack-api-version': f'volume {LATEST}', 'x-user-id': 'u1',
           'x-project-id': 'p1', 'x-roles': 'member,reader'}


class Fault(ResponseHandler):
    """The answer is this error, in the API's form, and nothing else."""
    test_key_suffix = 'fault'
    test_key_value = {}

    def action(self, test, item, value=None):
        (name, fault), = test.response_data.items()
        wanted = test.replace_template(str(value), escape_regex=self.is_regex(str(value)))
        pattern = wanted[1:-1] if self.is_regex(wanted) else re.escape(wanted)
        test.assertEqual((item, test.response['status']), (name, str(fault['code'])))
        test.assertRegex(fault['message'], rf'\A(?:{pattern})\Z')


@pytest.fixture
def world(make_world, monkeypatch):
    world = make_world()
    free, used = world.create(2, name='free', metadata={'a': 'b'}), world.create(2, name='used')
    server = world.nova.boot()
    there = {'FREE': free, 'USED': used, 'SERVER': server, 'ATTACHMENT': world.attach(used, server),
             'SNAPSHOT': world.post('/snapshots', {'snapshot': {'volume_id': free, 'name': 'snap'}})['snapshot']['id'],
             'TYPE': world.post('/types', {'volume_type': {'name': 'fast'}}, 200, roles='admin')['volume_type']['id'],
             'IMAGE': world.glance.add(visibility='public', min_disk=1), 'HOST': world.worker.host, 'LONG': 'x' * 256}
    world.run()
    for name, value in there.items():
        monkeypatch.setenv(name, value)
    with world.eager():
        yield world


@pytest.mark.parametrize('story', sorted(STORIES.glob('*.yaml')), ids=lambda path: path.stem)
def test_a_story(world, story):
    told = yaml.safe_load(story.read_text())
    headers = told.setdefault('defaults', {}).setdefault('request_headers', {})
    told['defaults']['request_headers'] = HEADERS | headers
    suite = suitemaker.test_suite_from_dict(
        unittest.defaultTestLoader, story.stem, told, str(STORIES), 'volume', None, None, lambda: world.app,
        handlers=[handler() for handler in (*RESPONSE_HANDLERS, Fault)])
    result = unittest.TestResult()
    suite.run(result)
    wrong = [f'{test.test_data["name"]}: {text}\nanswered: {getattr(test, "output", "")[:1000]}'
             for test, text in result.failures + result.errors]
    assert not wrong, '\n'.join(wrong[:3])
    assert result.testsRun == len(told['tests'])
