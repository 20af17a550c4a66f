"""Contexts: roles, administrators, services, targets."""
from types import SimpleNamespace

from oslo_context import context as oslo_context

from svckit.context import RequestContext, system_context


def test_roles_imply_others(service):
    admin = RequestContext(service=service, roles=['Admin'])
    assert set(admin.roles) == {'admin', 'manager', 'member', 'reader'}
    assert set(RequestContext(service=service, roles=['member', 'x']).roles) == {'member', 'reader', 'x'}


def test_targets_may_be_rows_or_nothing(service):
    context = RequestContext(service=service, project_id='p', user_id='u', roles=['member'])
    assert context.can('volume:extend', SimpleNamespace(project_id='p', user_id='z', size=3))
    assert not context.can('volume:extend', SimpleNamespace(project_id='q', user_id='u'))
    assert not context.can('volume:extend', SimpleNamespace())
    assert context.can('volume:extend')


def test_nobody_owns_what_belongs_to_nobody(service):
    stranger = RequestContext(service=service)
    assert not stranger.can('volume:extend', {'project_id': 'p'})
    assert not stranger.is_admin and not stranger.is_service


def test_services(service):
    assert RequestContext(service=service, roles=['service']).is_service
    assert RequestContext(service=service, roles=['member'], service_roles=['service']).is_service
    assert not RequestContext(service=service, roles=['admin']).is_service


def test_what_authentication_finds_out_counts_from_then_on(service):
    context = RequestContext(service=service)
    assert not context.can('admin_api')
    context.identify({'project_id': 'p', 'roles': ['admin']})
    assert context.can('admin_api') is context.is_admin is True
    assert context.project_id == 'p'


def test_system_context_is_an_administrators_and_keeps_the_request_id(service):
    context = system_context(service, project_id='p', request_id='req-1')
    assert context.is_admin and context.can('admin_api') and context.request_id == 'req-1'
    assert oslo_context.get_current() is context


def test_the_global_id_is_passed_on(service):
    assert RequestContext(service=service, request_id='req-a').global_id == 'req-a'
    assert RequestContext(service=service, request_id='req-a', global_request_id='req-b').global_id == 'req-b'
