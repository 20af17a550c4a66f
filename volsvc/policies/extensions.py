"""Policies of the list of extensions."""
from volsvc.policies.base import ANYONE, cloud_rule

LIST = 'volume:list_extensions'

RULES = [cloud_rule(LIST, ANYONE, 'List the extensions.', 'GET /extensions')]
