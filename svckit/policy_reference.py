"""The reference page of a service's policies, in reStructuredText: python -m svckit.policy_reference volsvc

Who may do what is found by asking: each rule is evaluated for each of the default roles.
"""
import importlib
import inspect
import pkgutil
import sys
import textwrap

from svckit import conf
from svckit.context import RequestContext
from svckit.policy import BASE_RULES, Policy

ROLES = ('reader', 'member', 'manager', 'admin')        # each has what those before it have
THINGS = {'project_id': 'p', 'user_id': 'u'}            # of a project and of one of its users
ANYONE = 'anyone'
INTRODUCTION = """\
What each policy of {service} lets one do, and who may by default. Roles are Keystone's: a ``manager`` of a project may
do what its ``member`` may, and that what its ``reader`` may, with what is the project's; an ``admin`` may with what is
any project's. ``service`` is another service, such as the one that attaches volumes to servers. The last column is for
tokens that are not for a project but for the whole system; those for a domain are good for nothing where a policy says
which tokens will do.

A line in the policy file (``[oslo_policy] policy_file``) changes a policy, ``"name": "rule"``, and holds within a
second. ``etc/{service}/policy.yaml.sample`` has them all. This page is written by ``./stack.sh samples``."""


class Roles:
    """Stands where contexts have their service: who has which role is all there is."""

    def __init__(self, service, rules):
        self.policy = Policy(conf.load(service, {}, files=[], oslo_policy__policy_file='', oslo_policy__policy_dirs=[]),
                             rules)

    def least(self, rule, **scope) -> str | None:
        """The least of the roles that the rule lets act on THINGS; 'anyone', None for none."""
        return next((role for role in ('', *ROLES) if self._may(rule, role, scope)), None)

    def project(self, rule) -> str:
        least = self.least(rule, project_id='p', user_id='u')
        if least == '':
            return ANYONE
        service = self._may(rule, 'service', {'project_id': 'services', 'user_id': 's'})
        return ', '.join(filter(None, (least, service and 'service'))) or 'nobody'

    def system(self, rule) -> str:
        least = self.least(rule, system_scope='all', user_id='x')
        return ANYONE if least == '' else least or '–'

    def _may(self, rule, role, scope):
        return RequestContext(service=self, roles=filter(None, [role]), **scope).can(rule, THINGS)


def page(service: str) -> str:
    """The whole of it."""
    package = importlib.import_module(f'{service}.policies')
    nouns = [importlib.import_module(f'{package.__name__}.{info.name}')
             for info in pkgutil.iter_modules(package.__path__)]
    roles = Roles(service, package.list_rules())
    parts = [_heading(f'Policies of {service}', '='), INTRODUCTION.format(service=service)]
    for noun in nouns:
        if rules := getattr(noun, 'RULES', ()):
            title, _, more = inspect.getdoc(noun).partition('\n')
            title = title.removeprefix('Policies of ').rstrip('.')
            parts += [_heading(title[0].upper() + title[1:], '-'), more.strip(), _table(rules, roles)]
    parts += [_heading('What policies are made of', '-'), _definitions(BASE_RULES)]
    return '\n\n'.join(filter(None, parts)) + '\n'


def _heading(text, line):
    return f'{text}\n{line * len(text)}'


def _table(rules, roles):
    rows = [('Policy', 'What one may', 'In a project', 'System')]
    rows += [(f'``{rule.name}``', _what(rule), roles.project(rule.name), roles.system(rule.name)) for rule in rules]
    lines = ['.. list-table::', '   :header-rows: 1', '   :widths: 30 50 12 8', '']
    for row in rows:
        for mark, cell in zip(('* -', '  -', '  -', '  -'), row, strict=True):
            lines += textwrap.wrap(cell, 120, initial_indent=f'   {mark} ', subsequent_indent=' ' * 7,
                                   break_long_words=False, break_on_hyphens=False)
    return '\n'.join(lines)


def _what(rule):
    places = ', '.join(f'``{place["method"]} {place["path"]}``' for place in rule.operations)
    return f'{rule.description} {places}'


def _definitions(rules):
    return '\n\n'.join(f'``{rule.name}``: ``{rule.check_str}``\n    {rule.description}' for rule in rules)


if __name__ == '__main__':
    sys.stdout.write(page(sys.argv[1]))
