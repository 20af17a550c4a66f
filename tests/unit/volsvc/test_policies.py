"""Policies: named as Cinder's, documented, each once."""
from volsvc import policies
from volsvc.api import routes

RULES = policies.list_rules()


def test_each_name_once():
    names = [rule.name for rule in RULES]
    assert len(names) == len(set(names))


def test_names_that_operators_know():
    names = {rule.name for rule in RULES}
    assert {'volume:create', 'volume:get', 'volume:extend', 'volume:extend_attached_volume', 'volume:attachment_create',
            'volume:attachment_delete', 'volume_extension:volume_admin_actions:reset_status',
            'volume_extension:quotas:update', 'volume_extension:types_extra_specs:read_sensitive',
            'scheduler_extension:scheduler_stats:get_pools'} <= names


def test_each_names_addresses_that_there_are():
    known = set()
    for path, methods in routes.ROUTES.items():
        known |= {(method, _shape(path.removeprefix('/v3/{project_id}'))) for method in methods}
    for rule in RULES:
        for operation in rule.operations:
            path = operation['path'].partition(' ')[0].partition('?')[0]
            assert (operation['method'], _shape(path)) in known, (rule.name, operation)


def _shape(path):
    return '/'.join('{}' if part.startswith('{') else part for part in path.split('/'))
