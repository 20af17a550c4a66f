"""JSON schemas: compiled once for each handler, chosen by microversion.

Stricter than JSON Schema in one point: 1.0 is no integer here, as it is none in
Python, where it would go on to be used as one.
"""
import functools

from svckit import errors
from svckit.web.microversion import Microversion

_SHOWN = 80


class Schema:
    """One schema, or several by microversion: a dict, or a list of (lowest version, dict)."""

    def __init__(self, declared, what: str):
        self.what = what
        steps = declared if isinstance(declared, list) else [((0, 0), declared)]
        self._steps = sorted((Microversion.of(low), _Compiled(schema)) for low, schema in steps)

    def check(self, data, version: Microversion):
        """Raises BadRequest with a sentence that names the place, unless `data` fits; a version
        below the first is not restricted."""
        chosen = self._chosen(version)
        if chosen and not chosen.validator.is_valid(data):
            raise errors.BadRequest(_sentence(chosen.validator, data, self.what))

    def at(self, version: Microversion) -> dict | None:
        """The JSON schema of this version."""
        chosen = self._chosen(version)
        return chosen and chosen.schema

    def _chosen(self, version):
        chosen = None
        for low, compiled in self._steps:
            if version is not None and low > version:
                break
            chosen = compiled
        return chosen


class _Compiled:
    """A schema whose validator is built when first needed: many never are."""

    def __init__(self, schema):
        self.schema = schema

    def __lt__(self, other):
        return False

    @functools.cached_property
    def validator(self):
        return _validator_class()(self.schema)


@functools.cache
def _validator_class():
    import jsonschema
    strict = jsonschema.Draft7Validator.TYPE_CHECKER.redefine(
        'integer', lambda checker, value: isinstance(value, int) and not isinstance(value, bool))
    return jsonschema.validators.extend(jsonschema.Draft7Validator, type_checker=strict)


def _sentence(validator, data, what) -> str:
    from jsonschema import exceptions
    error = exceptions.best_match(validator.iter_errors(data))
    place = '.'.join(str(step) for step in error.absolute_path)
    if not place:
        return f'Invalid {what}: {_short(error.message)}'
    return f'Invalid input for field/attribute {place}. Value: {_short(repr(error.instance))}. ' \
           f'{_short(error.message)}'


def _short(text: str) -> str:
    return text if len(text) <= _SHOWN * 3 else f'{text[:_SHOWN]}…{text[-_SHOWN:]}'
