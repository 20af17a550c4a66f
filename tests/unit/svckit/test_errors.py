"""Errors: the sentence, the status and the headers that go with them."""
import pytest

from svckit import errors


class InUse(errors.Conflict):
    message = 'Volume {} is {status}.'


def test_a_plain_message_stands_as_it_is():
    assert str(errors.BadRequest('100% of {this} stays')) == '100% of {this} stays'


def test_without_arguments_the_class_speaks():
    assert str(errors.Forbidden()) == 'You are not allowed to do this.'


def test_a_template_is_filled():
    error = InUse('v1', status='busy')
    assert (str(error), error.status) == ('Volume v1 is busy.', 409)


def test_not_found_names_what_and_which():
    assert str(errors.NotFound('Volume', 'v1')) == 'Volume v1 could not be found.'
    assert str(errors.NotFound('Volume', '{odd}')) == 'Volume {odd} could not be found.'
    assert str(errors.NotFound('Nothing here.')) == 'Nothing here.'


def test_headers():
    assert errors.OverQuota('full').headers == {'Retry-After': '0'}
    assert errors.OverQuota('full', headers={'Retry-After': '5'}).headers == {'Retry-After': '5'}
    assert errors.MethodNotAllowed(allow={'PUT', 'GET'}).headers == {'Allow': 'GET, PUT'}
    assert errors.BadRequest('x').headers == {}


@pytest.mark.parametrize('kind, status', [
    (errors.BadRequest, 400), (errors.Unauthorized, 401), (errors.Forbidden, 403), (errors.NotFound, 404),
    (errors.MethodNotAllowed, 405), (errors.NotAcceptable, 406), (errors.Conflict, 409),
    (errors.TooLarge, 413), (errors.OverQuota, 413), (errors.UnsupportedMediaType, 415), (errors.Unavailable, 503)])
def test_each_has_its_status(kind, status):
    assert kind().status == status
