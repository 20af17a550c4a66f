"""Policies of the list of extensions."""
from computesvc.policies.base import ANYONE, rule

LIST = 'os_compute_api:extensions'

RULES = [rule(LIST, ANYONE, 'List extensions.', 'GET /extensions', 'GET /extensions/{alias}')]
