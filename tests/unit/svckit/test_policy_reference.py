"""The page of a service's policies says who may, as their rules do."""
import re

import pytest

from svckit.policy_reference import page
from volsvc import policies


@pytest.fixture(scope='module')
def rows():
    """{policy: (what, who in a project, who of the system)}."""
    text = re.sub(r'\n {7}', ' ', page('volsvc'))
    return {name: cells for name, *cells in re.findall(
        r'   \* - ``(.+)``\n     - (.+)\n     - (.+)\n     - (.+)\n', text)}


def test_each_is_there_once(rows):
    assert list(rows) == [rule.name for rule in policies.list_rules()]


@pytest.mark.parametrize('policy, project, system', [
    ('volume:extend', 'member', '–'), ('volume:get', 'reader, service', '–'),
    ('volume_extension:default_set_or_update', 'manager', 'admin'),
    ('volume_extension:services:index', 'admin', 'reader'), ('volume:list_extensions', 'anyone', 'anyone')])
def test_who(rows, policy, project, system):
    assert rows[policy][1:] == [project, system]


def test_what(rows):
    assert rows['volume:update'][0] == (
        "Change a volume's name and description, or whether it can be booted from. ``PUT /volumes/{volume_id}``, "
        '``POST /volumes/{volume_id}/action (os-set_bootable)``')
