"""Who may do what: oslo.policy rules, read from the file when it changes.

A request never opens the policy file: whether it changed is looked at no more
often than every `LOOK` seconds, by its time, size and inode.  A changed file is
live within a second; a file that went away leaves the defaults; one that cannot be
read or parsed leaves the rules as they were and is logged once.
"""
import logging
import os
import threading
import time

from oslo_policy import policy as oslo_policy

LOG = logging.getLogger(__name__)
LOOK = 0.5

BASE_RULES = [
    oslo_policy.RuleDefault('context_is_admin', 'role:admin',
                            'Decides who counts as an administrator.'),
    oslo_policy.RuleDefault('admin_api', 'rule:context_is_admin',
                            'Default rule for what only an administrator may do.'),
    oslo_policy.RuleDefault('service_api', 'role:service',
                            'Default rule for what only another service may do.'),
    oslo_policy.RuleDefault('admin_or_service', 'rule:admin_api or rule:service_api',
                            'Default rule for what an administrator or another service may do.'),
    oslo_policy.RuleDefault('admin_or_owner', 'rule:admin_api or project_id:%(project_id)s',
                            'Default rule for most of what a user does with what is theirs.'),
    oslo_policy.RuleDefault('system_reader', 'rule:admin_api or (role:reader and system_scope:all)',
                            'Default rule for reading what belongs to no project.'),
    oslo_policy.RuleDefault('project_manager', 'rule:admin_api or (role:manager and project_id:%(project_id)s)',
                            'Default rule for what the managers of a project decide for all of it.'),
    oslo_policy.RuleDefault('project_member', 'rule:admin_api or (role:member and project_id:%(project_id)s)',
                            'Default rule for changing what belongs to the project.'),
    oslo_policy.RuleDefault('project_reader', 'rule:admin_api or (role:reader and project_id:%(project_id)s)',
                            'Default rule for reading what belongs to the project.'),
]
# Keystone's default roles imply one another; a token carries them all, but tokens
# made by hand (noauth, tests) may not.
IMPLIED = {'admin': ('manager', 'member', 'reader'), 'manager': ('member', 'reader'), 'member': ('reader',)}


def list_rules():
    """For oslo.policy's sample generator."""
    return BASE_RULES


def implied(roles) -> list[str]:
    """The roles in lower case, with those that they imply."""
    every = {}
    for role in (role.lower() for role in roles):
        every[role] = None
        every.update(dict.fromkeys(IMPLIED.get(role, ())))
    return list(every)


class Policy:
    """The rules in force: the defaults given, under what the operator's files say."""

    def __init__(self, conf, rules, clock=time.monotonic):
        self._conf, self._clock = conf, clock
        self._defaults = {rule.name: rule.check for rule in [*BASE_RULES, *rules]}
        self._scopes = {rule.name: rule.scope_types for rule in rules if rule.scope_types}
        self._enforcer = oslo_policy.Enforcer(conf, use_conf=False)
        self._lock = threading.Lock()
        self._seen, self._looked = None, float('-inf')
        self._adopt({})
        self._look()

    def check(self, rule: str, target: dict, context) -> bool:
        """True if the rule lets this context act on the target; an unknown rule is a KeyError.

        Whatever an operator's file says of it, its scopes stay those of its default.
        """
        return not self.wrong_scope(rule, context) and self._evaluate(rule, target, context.policy_values)

    def wrong_scope(self, rule: str, context) -> str | None:
        """The scope of the context's token, if that is none of those that will do for the rule."""
        allowed, values = self._scopes.get(rule), context.policy_values
        scope = 'system' if values['system_scope'] else 'domain' if values['domain_id'] else 'project'
        return None if allowed is None or scope in allowed else scope

    def is_admin(self, values: dict) -> bool:
        """True if these credentials are an administrator's."""
        return self._evaluate('context_is_admin', {}, values)

    def _evaluate(self, rule, target, values) -> bool:
        if self._clock() - self._looked >= LOOK:
            self._look()
        check = self._rules[rule]
        try:
            return bool(check(target, values))
        except Exception:
            LOG.exception('Policy rule %s cannot be evaluated and allows nothing.', rule)
            return False

    def _look(self):
        # Whoever comes while another looks goes on with the rules there are.
        if not self._lock.acquire(blocking=False):
            return
        try:
            self._looked = self._clock()
            files = self._files()
            seen = [_signature(path) for path in files]
            if seen != self._seen:
                self._seen = seen
                self._load(files)
        finally:
            self._lock.release()

    def _files(self) -> list[str]:
        """The operator's file, then those of the policy directories, later ones winning."""
        options = self._conf.oslo_policy
        found = [self._conf.find_file(options.policy_file)] if options.policy_file else []
        for name in options.policy_dirs:
            folder = self._conf.find_file(name)
            if folder and os.path.isdir(folder):
                found += [os.path.join(folder, file) for file in sorted(os.listdir(folder)) if file[0] != '.']
        return [path for path in found if path]

    def _load(self, files):
        changed = {}
        try:
            for path in files:
                with open(path, encoding='utf-8') as file:
                    changed.update(_parse(file.read()))
            self._adopt(changed)
        except FileNotFoundError:
            self._seen = None               # went away between the two looks: look again
        except Exception as error:
            LOG.error('Policy stays as it was: %s', error)
        else:
            LOG.info('Policy: %d rules from %s.', len(changed), ', '.join(files) or 'no file')

    def _adopt(self, changed):
        checks = {**self._defaults, **changed}
        made = {}
        for name in checks:
            _named(name, checks, made, self._enforcer)
        self._rules = made


def _named(name, checks, made, enforcer):
    """The function for the rule `name`; ValueError if it refers to itself."""
    if name not in made:
        made[name] = None
        made[name] = _function(checks[name], checks, made, enforcer)
    if made[name] is None:
        raise ValueError(f'rule {name!r} refers to itself')
    return made[name]


def _function(check, checks, made, enforcer):
    """The check as a function of (target, credentials).

    oslo.policy looks at each check's signature with `inspect` every time it is
    evaluated, which took a quarter of the time of a small request.
    """
    if isinstance(check, oslo_policy.RuleCheck):
        if check.match not in checks:
            LOG.warning('A policy refers to the rule %r, which there is not; it allows nothing.', check.match)
            return lambda target, values: False
        return _named(check.match, checks, made, enforcer)
    if isinstance(check, oslo_policy.NotCheck):
        inner = _function(check.rule, checks, made, enforcer)
        return lambda target, values: not inner(target, values)
    if isinstance(check, oslo_policy.AndCheck | oslo_policy.OrCheck):
        return _together([_function(part, checks, made, enforcer) for part in check.rules],
                         isinstance(check, oslo_policy.OrCheck))
    if type(check) is _ROLE and '%' not in check.match:
        role = check.match.lower()
        return lambda target, values: role in values['roles']       # which are in lower case: implied()
    if type(check) is _SAME and check.kind.isidentifier() and check.kind not in _LITERALS:
        return _same(check.kind, check.match)
    return lambda target, values: check(target, values, enforcer, None)


def _together(parts, enough: bool):
    """Or, if one part that holds is `enough`; else and.  The first that decides is the last to be asked."""
    def holds(target, values):
        for part in parts:
            if bool(part(target, values)) is enough:
                return enough
        return not enough
    return holds


# oslo.policy keeps these classes' names to itself.
_ROLE, _SAME = (type(oslo_policy.RuleDefault('example', rule).check) for rule in ('role:reader', 'user_id:%(user_id)s'))
# Left of a colon these are values, where other words name something of the credentials.
_LITERALS = ('True', 'False', 'None')


def _same(name, match):
    """`project_id:%(project_id)s` and the like.  oslo.policy parses the name as Python at each evaluation."""
    def holds(target, values):
        try:
            wanted, found = match % target, values[name]
        except KeyError:
            return False
        return wanted in map(str, found) if isinstance(found, list) else wanted == str(found)
    return holds


def _parse(text: str) -> dict:
    """The checks by name; ValueError says which of them cannot be understood."""
    written = oslo_policy.parse_file_contents(text)
    if not isinstance(written, dict):
        raise ValueError('a policy file must hold "name": "rule" pairs')
    for name, rule in written.items():
        if not isinstance(rule, str | list):
            raise ValueError(f'rule {name!r} must be a string, not {rule!r}')
    checks = dict(oslo_policy.Rules.from_dict(written))
    for name, check in checks.items():
        # oslo.policy makes "allow nobody" of what it cannot parse.
        if str(check) == '!' and written[name] != '!':
            raise ValueError(f'rule {name!r} cannot be understood: {written[name]!r}')
    return checks


def _signature(path):
    try:
        status = os.stat(path)
    except OSError:
        return None
    return path, status.st_mtime_ns, status.st_size, status.st_ino
