"""Short hands for rules, in the words of the base rules of svckit.policy."""
import functools

from oslo_policy import policy

ADMIN = 'rule:admin_api'
ADMIN_OR_SERVICE = 'rule:admin_or_service'
MANAGER = 'rule:project_manager'
MEMBER = 'rule:project_member'
MEMBER_OR_SERVICE = 'rule:project_member or rule:service_api'
READER = 'rule:project_reader'
READER_OR_SERVICE = 'rule:project_reader or rule:service_api'
SYSTEM_READER = 'rule:system_reader'
MANAGER_OR_SYSTEM_READER = 'rule:project_manager or rule:system_reader'
READER_OF_CLOUD = 'rule:project_reader or rule:system_reader'
READER_OF_CLOUD_OR_SERVICE = 'rule:project_reader or rule:system_reader or rule:service_api'
ANYONE = '@'


def rule(name: str, check: str, description: str, *operations: str, scopes=('project',)):
    """`operations` are 'METHOD /path'; `scopes` are the kinds of token that will do, whoever holds them."""
    places = [dict(zip(('method', 'path'), operation.split(' ', 1), strict=True)) for operation in operations]
    return policy.DocumentedRuleDefault(name=name, check_str=check, description=description, operations=places,
                                        scope_types=list(scopes))


cloud_rule = functools.partial(rule, scopes=('system', 'project'))
"""A rule about what is no project's: types, limits, services."""
