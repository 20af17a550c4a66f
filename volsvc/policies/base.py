"""Short hands for rules, in the words of the base rules of svckit.policy."""
from oslo_policy import policy

ADMIN = 'rule:admin_api'
ADMIN_OR_SERVICE = 'rule:admin_or_service'
MANAGER = 'rule:project_manager'
MEMBER = 'rule:project_member'
MEMBER_OR_SERVICE = 'rule:project_member or rule:service_api'
READER = 'rule:project_reader'
READER_OR_SERVICE = 'rule:project_reader or rule:service_api'
ANYONE = '@'


def rule(name: str, check: str, description: str, *operations: str) -> policy.DocumentedRuleDefault:
    """`operations` are 'METHOD /path'."""
    places = [dict(zip(('method', 'path'), operation.split(' ', 1), strict=True)) for operation in operations]
    return policy.DocumentedRuleDefault(name=name, check_str=check, description=description, operations=places)
