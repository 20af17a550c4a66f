"""A service that has a configuration and a policy, and no more."""
import pytest
from oslo_policy import policy as oslo_policy

from svckit import conf as configuration
from svckit import policy

RULES = [oslo_policy.DocumentedRuleDefault('volume:extend', 'rule:admin_or_owner', 'Grow a volume.',
                                           [{'path': '/volumes/{id}/action', 'method': 'POST'}]),
         oslo_policy.RuleDefault('services:list', 'rule:system_reader', scope_types=['system', 'project']),
         oslo_policy.RuleDefault('volume:show', '@', scope_types=['project'])]


class Clock:
    """Seconds that pass when a test says so."""

    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


class Service:
    def __init__(self, conf, clock):
        self.conf, self.clock = conf, clock
        self.policy = policy.Policy(conf, RULES, clock)


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def policy_file(tmp_path):
    return tmp_path / 'policy.yaml'


@pytest.fixture
def conf(policy_file):
    return configuration.load('testsvc', {}, files=[], api__auth_strategy='noauth',
                              oslo_policy__policy_file=str(policy_file), oslo_policy__policy_dirs=[])


@pytest.fixture
def service(conf, clock):
    return Service(conf, clock)
