"""Policies of the list of extensions."""
from volsvc.policies.base import ANYONE, rule

LIST = 'volume:list_extensions'

RULES = [rule(LIST, ANYONE, 'List the extensions.', 'GET /extensions')]
