"""Filters and weighers: which backends a volume may go to, and which of them it goes to."""
import collections

import pytest

from volsvc.scheduling.backends import GIB, Candidate, Wish, facts, first_refusal, sift, why_none


def backend(host='a@x', up=True, disabled=False, zone='z1', promised=0, free=10, total=10, made=0, thin=False, **more):
    return Candidate(host=host, zone=zone, up=up, disabled=disabled, promised=promised * GIB, capabilities={
        'pool_name': 'x', 'thin': thin, 'max_over_subscription_ratio': 2.0, 'reserved_percentage': 0,
        'total_bytes': total * GIB, 'free_bytes': free * GIB, 'provisioned_bytes': made * GIB,
        'volume_backend_name': 'slow', 'online_extend': True, 'multiattach': True, **more})


def wish(size=2, **values):
    return Wish(size=size * GIB, **values)


def specs(**values):
    return wish(extra_specs=values)


@pytest.mark.parametrize('candidate, wanted, refusal', [
    (backend(), wish(), None),
    (backend(up=False), wish(), None),
    (backend(disabled=True), wish(), 'enabled'),
    (backend(), wish(exclude=frozenset({'a@x'})), 'other_host'),
    (backend(), wish(host='b@x'), 'same_backend'),
    (backend(), wish(host='a@x'), None),
    (backend(), wish(zone='z2'), 'zone'),
    (backend(), wish(zone='z1'), None),
    (backend(), wish(extra_specs={'RESKEY:availability_zones': 'z2,z3'}), 'zone_of_type'),
    (backend(), wish(extra_specs={'RESKEY:availability_zones': 'z2, z1'}), None),
    (backend(), wish(extra_specs={'RESKEY:availability_zones': ''}), None),
    (backend(free=1, made=9, promised=9), wish(), 'capacity'),
    (backend(), specs(volume_backend_name='slow'), None),
    (backend(), specs(volume_backend_name='fast'), 'capabilities'),
    (backend(), specs(volume_backend_name='<or> fast <or> slow'), None),
    (backend(), specs(multiattach='<is> True'), None),
    (backend(multiattach=False), specs(multiattach='<is> True'), 'capabilities'),
    (backend(online_extend=False), wish(extra_specs={'capabilities:online_extend_support': '<is> True'}),
     'capabilities'),
    (backend(), specs(thin_provisioning_support='<is> True'), 'capabilities'),
    (backend(thin=True), specs(thin_provisioning_support='<is> True'), None),
    (backend(), specs(total_capacity_gb='>= 11'), 'capabilities'),
    (backend(), specs(nothing_like_it='x'), 'capabilities'),
    # What is scoped is somebody else's.
    (backend(), wish(extra_specs={'provisioning:max_vol_size': '1', 'vendor:tier': '9'}), None)])
def test_filters(candidate, wanted, refusal):
    assert first_refusal(candidate, wanted) == refusal


@pytest.mark.parametrize('room, candidate', [
    (10, backend()),
    (7, backend(promised=3)),
    # Promised since the report, whose figures know nothing of it.
    (3, backend(free=5, made=5, promised=7)),
    # Others use the disks, too.
    (4, backend(free=4, made=0)),
    (2, backend(free=4, made=1, promised=3)),
    # Thin ones: twice what there is, and twice what is free besides what was made.
    (20, backend(thin=True)),
    (5, backend(thin=True, made=15, promised=15)),
    (2, backend(thin=True, free=1, made=10, promised=10)),
    # A volume that never was written takes no room of them, but of the promises.
    (0, backend(thin=True, made=20, promised=20)),
    (-10, backend(promised=20)),
    (9, backend(reserved_percentage=10)),
    (18, backend(thin=True, reserved_percentage=10)),
    (0, backend(free=1, made=9, promised=9, reserved_percentage=10)),
    (0, backend(reserved_percentage=100))])
def test_room(room, candidate):
    assert candidate.room == room * GIB

    def fits(gib):
        return first_refusal(candidate, Wish(size=gib * GIB)) is None
    assert fits(max(room, 0)) is (room >= 0) and not fits(max(room, 0) + 1)


def test_the_best_comes_first():
    """Those that report, then the most room, then by name."""
    fitting, refused = sift([backend('a@x', free=20, total=20, up=False), backend('c@x'), backend('b@x'),
                             backend('d@x', promised=1), backend('e@x', disabled=True), backend('f@x', free=1, made=1),
                             backend('g@x', free=0, made=1)], wish())
    assert [candidate.host for candidate in fitting] == ['b@x', 'c@x', 'd@x', 'f@x', 'a@x']
    assert refused == {'enabled': 1, 'capacity': 1}


def test_what_a_user_is_told():
    assert why_none(2, collections.Counter({'zone': 1, 'capacity': 1})) == (
        'No valid backend was found. Of 2 backends, these filters refused: zone (1), capacity (1).')
    assert why_none(0, collections.Counter()) == 'No valid backend was found. No backend has ever reported.'


def test_what_clients_see_of_a_backend():
    known = facts(backend(thin=True, free=4).capabilities, 3 * GIB)
    assert (known['total_capacity_gb'], known['free_capacity_gb'], known['provisioned_capacity_gb']) == (10, 4, 3)
    assert known['thin_provisioning_support'] and not known['thick_provisioning_support']
