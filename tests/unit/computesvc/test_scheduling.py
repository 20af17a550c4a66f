"""Filters and weighers: which hosts a server may go to, and which of them it goes to."""
import collections

import pytest

from computesvc.scheduling import filters
from computesvc.scheduling.hosts import Candidate, Wish, first_refusal, sift, why_none

WISH = Wish(vcpus=2, memory_mb=512, disk_gb=10, zone='z1')


def host(name='h1', **values):
    return Candidate(**{'host': name, 'node': f'{name}.node', 'zone': 'z1', 'disabled': False, 'up': True, 'servers': 0,
                        'vcpus': 4, 'memory_mb': 1024, 'disk_gb': 20,
                        'capabilities': {'protocols': ['iscsi', 'local'], 'hypervisor_type': 'QEMU'}} | values)


def wish(**values):
    return Wish(**{'vcpus': 2, 'memory_mb': 512, 'disk_gb': 10, 'zone': 'z1'} | values)


@pytest.mark.parametrize('candidate, wanted, refusal', [
    (host(), wish(), None),
    (host(vcpus=2, memory_mb=512, disk_gb=10), wish(), None),
    (host(disabled=True), wish(), 'enabled'),
    (host(up=False), wish(), 'alive'),
    (host(), wish(exclude=frozenset({'h1'})), 'other_host'),
    (host(), wish(host='h2'), 'wanted_host'),
    (host(), wish(node='h2.node'), 'wanted_host'),
    (host(), wish(host='h1', node='h1.node'), None),
    (host(zone='z2'), wish(), 'zone'),
    (host(zone='z2'), wish(zone=None), None),
    (host(vcpus=1), wish(), 'cores'),
    (host(memory_mb=511), wish(), 'memory'),
    (host(disk_gb=9.5), wish(), 'disk'),
    # More is given out than there is, but this server asks for none of it.
    (host(disk_gb=-5), wish(disk_gb=0), None),
    (host(), wish(protocols=('iscsi',)), None),
    (host(), wish(protocols=('iscsi', 'rbd')), 'protocols'),
    (host(), wish(extra_specs={'capabilities:hypervisor_type': 'qemu'}), None),
    (host(), wish(extra_specs={'capabilities:hypervisor_type': 'xen'}), 'capabilities'),
    (host(), wish(extra_specs={'capabilities:nothing_like_it': 'x'}), 'capabilities'),
    (host(), wish(extra_specs={'hw:cpu_policy': 'dedicated'}), None)])
def test_filters(candidate, wanted, refusal):
    assert first_refusal(candidate, wanted) == refusal


@pytest.mark.parametrize('value, wanted, good', [
    ('QEMU', 's== QEMU', True), ('QEMU', 's!= QEMU', False), (['iscsi'], '<in> iscsi', True),
    ('x86_64', '<in> 86', True), ('QEMU', '<or> KVM <or> QEMU', True), ('LXC', '<or> KVM <or> QEMU', False),
    (5, '>= 4', True), (5, '<= 4', False), (5, '= 4', True), (5, '== 4', False), ('many', '>= 4', False),
    (True, '<is> True', True), (False, '<is> True', False), (True, 'true', True), (None, 's== x', False)])
def test_extra_specs(value, wanted, good):
    assert filters.satisfies(value, wanted) is good


def test_the_best_comes_first():
    """Most free memory, then fewest servers, then by name."""
    fitting, refused = sift([host('h1'), host('h2', memory_mb=2048), host('h3', servers=1), host('h0'),
                             host('h4', up=False), host('h5', memory_mb=1), host('h6', memory_mb=1)], WISH)
    assert [candidate.host for candidate in fitting] == ['h2', 'h0', 'h1', 'h3']
    assert refused == {'alive': 1, 'memory': 2}


def test_what_a_user_is_told():
    assert why_none(3, collections.Counter({'alive': 1, 'memory': 2})) == (
        'No valid host was found. Of 3 hosts, these filters refused: alive (1), memory (2).')
    assert why_none(0, collections.Counter()) == 'No valid host was found. No host has ever reported.'
