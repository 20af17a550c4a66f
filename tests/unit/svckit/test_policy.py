"""Policy: defaults in code, the operator's file over them, live within a second."""
import pytest

from svckit import errors
from svckit.context import RequestContext
from svckit.policy import LOOK, Policy

MINE, OTHERS = {'project_id': 'p'}, {'project_id': 'other'}


def asking(service, *roles):
    return RequestContext(service=service, project_id='p', user_id='u', roles=roles)


def write(policy_file, text, clock):
    """As an editor does; the next look is due."""
    policy_file.write_text(text)
    clock.now += LOOK


def test_defaults_hold_without_a_file(service):
    member = asking(service, 'member')
    assert member.can('volume:extend', MINE)
    assert not member.can('volume:extend', OTHERS)
    assert asking(service, 'admin').can('volume:extend', OTHERS)


def test_refusal_names_the_rule(service):
    with pytest.raises(errors.Forbidden, match='volume:extend'):
        asking(service, 'member').authorize('volume:extend', OTHERS)


@pytest.mark.parametrize('scope, rules', [
    ({'system_scope': 'all'}, {'services:list': True, 'volume:show': False}),
    ({'domain_id': 'd'}, {'services:list': False, 'volume:show': False}),
    ({'project_id': 'p'}, {'services:list': False, 'volume:show': True})])
def test_the_scope_of_a_token_counts(service, scope, rules):
    reader = RequestContext(service=service, user_id='u', roles=['reader'], **scope)
    assert {rule: reader.can(rule) for rule in rules} == rules


def test_no_role_is_enough_with_another_scope(service, policy_file, clock):
    write(policy_file, '"volume:show": "role:admin"\n', clock)
    admin = RequestContext(service=service, user_id='u', roles=['admin'], system_scope='all')
    with pytest.raises(errors.Forbidden, match='volume:show to be performed by a token of system scope'):
        admin.authorize('volume:show')
    assert admin.can('services:list') and admin.can('volume:extend', OTHERS)


def test_an_edit_and_its_undoing_are_live_at_the_next_look(service, policy_file, clock):
    member = asking(service, 'member')
    write(policy_file, '"volume:extend": "rule:admin_api"\n', clock)
    assert not member.can('volume:extend', MINE)
    write(policy_file, '"volume:extend": "rule:admin_or_owner"\n', clock)
    assert member.can('volume:extend', MINE)


def test_the_file_is_not_looked_at_more_often_than_it_says(service, policy_file, clock):
    policy_file.write_text('"volume:extend": "!"\n')
    clock.now += LOOK / 2
    assert asking(service).can('volume:extend', MINE)


def test_a_file_that_goes_away_leaves_the_defaults(service, policy_file, clock):
    write(policy_file, '"volume:extend": "!"\n', clock)
    assert not asking(service).can('volume:extend', MINE)
    policy_file.unlink()
    clock.now += LOOK
    assert asking(service).can('volume:extend', MINE)


@pytest.mark.parametrize('broken', [
    '"volume:extend": "role:admin', '- a\n- list\n', '"volume:extend": 5\n', '"volume:extend": "role:a or or"\n',
    '"volume:extend": "rule:volume:extend"\n', '"a": "rule:b"\n"b": "not rule:a"\n', '\x00'])
def test_a_broken_file_changes_nothing_and_is_told_once(service, policy_file, clock, caplog, broken):
    write(policy_file, '"volume:extend": "role:grower"\n', clock)
    assert asking(service, 'grower').can('volume:extend', OTHERS)
    write(policy_file, broken, clock)
    for _ in range(3):
        assert asking(service, 'grower').can('volume:extend', OTHERS)
        assert not asking(service, 'member').can('volume:extend', MINE)
        clock.now += LOOK
    assert caplog.text.count('stays as it was') == 1


def test_base_rules_can_be_changed_too(service, policy_file, clock):
    write(policy_file, '"context_is_admin": "role:operator"\n', clock)
    assert asking(service, 'operator').is_admin
    assert asking(service, 'operator').can('volume:extend', OTHERS)
    assert not asking(service, 'admin').is_admin


def test_directories_come_over_the_file(conf, policy_file, clock, tmp_path):
    folder = tmp_path / 'policy.d'
    folder.mkdir()
    conf.set_override('policy_dirs', [str(folder)], 'oslo_policy')
    policy_file.write_text('"context_is_admin": "role:a"\n')
    (folder / '10.yaml').write_text('"context_is_admin": "role:b"\n')
    (folder / '20.yaml').write_text('"context_is_admin": "role:c"\n')
    (folder / '.20.yaml.swp').write_text('}{')
    policy = Policy(conf, [], clock)
    assert policy.is_admin({'roles': ['c']}) and not policy.is_admin({'roles': ['a', 'b']})
    (folder / '20.yaml').unlink()
    clock.now += LOOK
    assert policy.is_admin({'roles': ['b']})


def test_rules_in_words(service, policy_file, clock):
    write(policy_file, 'x: "not role:a and (role:b or user_id:%(user_id)s)"\nnone: "!"\nall: "@"\n'
                       'gone: "rule:nowhere or role:b"\nliteral: "True:%(enabled)s"\n'
                       'listed: "roles:%(wanted)s"\nnothing: "domain_id:None"\nunknown: "nonsense:%(user_id)s"\n',
          clock)
    assert asking(service, 'b').can('x', {'user_id': 'z'})
    assert asking(service).can('x', {'user_id': 'u'})
    assert not asking(service).can('x', {'user_id': 'z'})
    assert not asking(service, 'a', 'b').can('x')
    assert not asking(service, 'admin').can('none') and asking(service).can('all')
    assert asking(service, 'b').can('gone') and not asking(service).can('gone')
    assert asking(service).can('literal', {'enabled': True}) and not asking(service).can('literal', {})
    assert asking(service, 'b').can('listed', {'wanted': 'b'})
    assert not asking(service, 'b').can('listed', {'wanted': 'c'})
    assert asking(service).can('nothing') and not asking(service).can('unknown')
    assert asking(service, 'B').can('x', {'user_id': 'z'})


def test_a_rule_that_cannot_be_evaluated_allows_nothing(service, policy_file, clock):
    write(policy_file, '"volume:extend": "project_id:%(project_id)d"\n', clock)
    assert not asking(service, 'admin').can('volume:extend', MINE)


def test_a_rule_nobody_knows_is_the_programs_error(service):
    with pytest.raises(KeyError):
        asking(service, 'admin').can('volume:extnd')
