"""Every operation x every step x every disturbance; where the step's work is in the database, on each database.

The rest of the steps, whose work is elsewhere, are checkpointed by the same statements: SQLite's stands for all.
The operations are those that the services register; each has its example in
`volsvc_examples.py`, `computesvc_examples.py` or one of their neighbours.  One without an example fails.
Of an operation that changed, the newest version is what requests start.
"""
import functools
import importlib
import itertools
import pathlib

import pytest

from svckit.operations.testing import check, scenarios, undisturbed
from tests.conftest import KINDS


def _operations():
    for service in ('volsvc', 'computesvc'):
        registry = importlib.import_module(f'{service}.operations').registry()
        newest = {}
        for (name, _), definition in sorted(registry.items()):
            newest[name] = definition
        yield from ((service, definition) for definition in newest.values())


def _cells():
    for service, definition in _operations():
        on_each = [step for step in definition.steps if step.atomic] or definition.steps[:1]
        for step in definition.steps:
            for kind in KINDS if step in on_each else KINDS[:1]:
                yield pytest.param(service, definition, step.name, kind,
                                   id=f'{service}-{definition.name}-{step.name}-{kind}')


_calm = {}


@functools.cache
def _examples(service):
    """Of all modules of the service's examples."""
    modules = sorted(pathlib.Path(__file__).parent.glob(f'{service}_*examples.py'))
    return {name: made for path in modules
            for name, made in importlib.import_module(f'tests.operations.{path.stem}').EXAMPLES.items()}


@pytest.mark.parametrize('service, name', [(service, definition.name) for service, definition in _operations()])
def test_it_has_an_example(service, name):
    assert name in _examples(service), f'{service}: no example of {name}, so its steps are not tested'


@pytest.mark.parametrize('service, definition, step, kind', _cells())
def test_step(service, definition, step, kind, all_databases, tmp_path):
    name, numbers = definition.name, itertools.count()

    def factory():
        folder = tmp_path / str(next(numbers))
        folder.mkdir()
        return _examples(service)[name](all_databases.wiped(kind, service), folder)
    if (service, name, kind) not in _calm:
        _calm[service, name, kind] = undisturbed(factory)
    for scenario in scenarios(definition, step):
        try:
            check(factory, step, scenario, _calm[service, name, kind])
        except AssertionError as e:
            raise AssertionError(f'{name}, step {step}, {scenario}: {e}') from e
