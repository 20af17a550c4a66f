"""What filters' values mean."""
import datetime

import pytest

from volsvc import errors
from volsvc.api import filters

NEW_YEAR = datetime.datetime(2026, 1, 1)


@pytest.mark.parametrize('text, found', [
    ('2026-01-01', [('eq', NEW_YEAR)]), ('eq:2026-01-01T00:00:00', [('eq', NEW_YEAR)]),
    ('gt:2026-01-01T01:00:00+01:00', [('gt', NEW_YEAR)]), ('lte:2026-01-01T00:00:00Z', [('lte', NEW_YEAR)]),
    ('gte:2026-01-01,lt:2026-01-01T00:00:00.000001', [('gte', NEW_YEAR),
                                                      ('lt', NEW_YEAR.replace(microsecond=1))])])
def test_moments(text, found):
    assert filters.moments('created_at', text) == found


@pytest.mark.parametrize('text', ['', 'gt:', 'yesterday', 'about:2026-01-01', 'gt:2026-13-01',
                                  '0001-01-01T00:00:00+23:00', 'gt:2026-01-01,'])
def test_no_moments(text):
    with pytest.raises(errors.BadRequest):
        filters.moments('created_at', text)


@pytest.mark.parametrize('text', ["{'a': 'b'}", '{"a": "b"}', " {'a':'b'}".strip()])
def test_pairs(text):
    assert filters.pairs('metadata', text) == {'a': 'b'}


@pytest.mark.parametrize('text', ['', 'a=b', '[]', "{'a': 1}", "{1: 'a'}", '__import__("os")', '{' * 500, "{'a'}",
                                  'None'])
def test_no_pairs(text):
    with pytest.raises(errors.BadRequest):
        filters.pairs('metadata', text)


@pytest.mark.parametrize('text', ['x', '-1', '1.0', '1e3', '', '٣', '1' * 10])
def test_no_number(text):
    with pytest.raises(errors.BadRequest):
        filters.number('size', text)


@pytest.mark.parametrize('text, strict, found', [('True', True, True), ('0', True, False), ('x', False, True),
                                                 ('FALSE', False, False)])
def test_boolean(text, strict, found):
    assert filters.boolean('bootable', text, strict) is found
