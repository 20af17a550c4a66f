"""What an API's /openapi.json says is so: requests made from it, right ones and wrong ones, by a fixed seed.

No answer has a status that the document does not name (500 is never named), every
error has the form that it describes, and no body that it rules out is taken.
"""
import zlib

import hypothesis
import schemathesis
from schemathesis.core.parameters import ParameterLocation
from schemathesis.specs.openapi import checks

from svckit.web import openapi

SEED = 20261121
CHECKS = [checks.status_code_conformance, checks.response_schema_conformance, checks.response_headers_conformance]
ADMINISTRATOR = {'X-User-Id': 'root', 'X-Project-Id': 'p1', 'X-Roles': 'admin,member,reader'}
MEMBER = {'X-User-Id': 'u1', 'X-Project-Id': 'p1', 'X-Roles': 'member,reader'}
RIGHT, WRONG = schemathesis.GenerationMode.POSITIVE, schemathesis.GenerationMode.NEGATIVE
# So many for each operation, of each action where there are several.
EXAMPLES = {RIGHT: 4, WRONG: 6}
FEW = {RIGHT: 2, WRONG: 1}


def nouns(routes) -> list[str]:
    """What a service's addresses are about."""
    return sorted({openapi.noun(path) for path in routes})


def explore(world, noun, known, after=lambda: None, *, version=None, who=ADMINISTRATOR, examples=EXAMPLES):
    """Requests of somebody for every operation on a noun, in a version, the newest where none is named.

    `known()` gives what there is under the names of paths and bodies, anew before
    each operation that changes something; `after()` follows each request.
    """
    document = world.call('GET', '/openapi.json', version=version).json
    headers = who | {'OpenStack-API-Version': document['components']['parameters']['version']['schema']['const']}
    schema = schemathesis.openapi.from_dict(_about(document, noun))
    schema.validate()
    schema.app = world.app
    there = None
    for found in schema.get_all_operations():
        operation = found.ok()
        there = known() if there is None or operation.method != 'get' else there
        for mode in (RIGHT, WRONG) if operation.body else (RIGHT,):
            _attempt(operation, mode, there, headers, after, examples[mode])


def _about(document, noun):
    """What the document says of a noun, and nothing of headers: those are always right here."""
    paths = {path: operations for path, operations in document['paths'].items() if openapi.noun(path) == noun}
    for path in paths.values():
        for method, operation in path.items():
            if method != 'parameters':
                operation['parameters'] = [each for each in operation['parameters'] if 'name' in each]
    del document['security'], document['components']['parameters']
    return document | {'paths': paths}


def _attempt(operation, mode, known, headers, after, examples):
    kinds = sum(len(body.definition['schema'].get('oneOf', [None])) for body in operation.body) or 1

    @hypothesis.seed(SEED)
    @hypothesis.settings(max_examples=examples * kinds, database=None, deadline=None,
                         phases=[hypothesis.Phase.generate], suppress_health_check=list(hypothesis.HealthCheck))
    @hypothesis.given(operation.as_strategy(generation_mode=mode))
    def attempt(case):
        # What is no object, or an empty one, is one wrong thing, tried elsewhere.
        hypothesis.assume(mode is RIGHT or isinstance(case.body, dict) and case.body)
        case.headers = headers
        case.path_parameters = {name: _chosen(known, name, value) for name, value in case.path_parameters.items()}
        case.query = {name: _chosen(known, name, value) for name, value in (case.query or {}).items()
                      if zlib.crc32(name.encode()) % 4 == len(case.query) % 4}
        if mode is RIGHT:
            case.body = _with(known, case.body)
        answer = case.call()
        body = case.meta.components.get(ParameterLocation.BODY)
        taken = body and body.mode is WRONG and answer.status_code < 400
        case.validate_response(answer, checks=CHECKS + [checks.negative_data_rejection] * bool(taken))
        after()
    attempt()


def _chosen(known, name, value):
    """As a rule one of what there is, the same one each time."""
    if name not in known or not isinstance(value, str):
        return value
    number = zlib.crc32(value.encode('utf-8', 'surrogatepass'))
    return known[name][number // 8 % len(known[name])] if number % 8 else value


def _with(known, body):
    if isinstance(body, dict):
        return {name: _chosen(known, name, _with(known, value)) for name, value in body.items()}
    return [_with(known, value) for value in body] if isinstance(body, list) else body
