"""A driver's user is killed after each change of the volume group, and what it did is repeated by another."""
import uuid

from tests.drivers.test_contract import image
from volsvc.drivers.base import Snapshot, Volume

MIB = 1024 * 1024
CHANGES = ('create', 'snapshot', 'rename', 'extend', 'split', 'remove', 'activate', 'copy', 'write', 'clear')
# What is there before ('old', and 'kept', a snapshot of it), and what is done.
VERBS = {
    'create': ((), lambda driver, v: driver.create(v['new'])),
    'clone': (('old',), lambda driver, v: driver.clone(v['new'], v['old'])),
    'create_from_image': ((), lambda driver, v: driver.create_from_image(v['new'], image(b'image' * 1000))),
    'create_snapshot': (('old',), lambda driver, v: driver.create_snapshot(v['kept'], v['old'])),
    'create_from_snapshot': (('old', 'kept'), lambda driver, v: driver.create_from_snapshot(v['new'], v['kept'])),
    'revert': (('old', 'kept'), lambda driver, v: driver.revert(v['old'], v['kept'])),
    'extend': (('old', 'kept'), lambda driver, v: driver.extend(v['old'], 128 * MIB)),
    'delete': (('old',), lambda driver, v: driver.delete(v['old'])),
    'delete_snapshot': (('old', 'kept'), lambda driver, v: driver.delete_snapshot(v['kept'])),
}


class Killed(BaseException):
    """As SIGKILL: nothing is tidied up."""


class Dying:
    """A volume group whose user is killed after its change number `wanted`."""

    def __init__(self, group, wanted):
        self._group, self.left = group, wanted

    def __getattr__(self, name):
        found = getattr(self._group, name)
        return self._counted(found) if name in CHANGES else found

    def _counted(self, change):
        def act(*arguments, **options):
            found = change(*arguments, **options)
            self.left -= 1
            if self.left == 0:
                raise Killed
            return found
        return act


def each_change_of(verb, backend, names, only=None):
    """`names()` are those of the logical volumes; `only`: after this change.  Returns how many changes there were."""
    steps, (before, act) = (only or 1) - 1, VERBS[verb]
    whole = _undisturbed(verb, backend, names)
    while only is None or steps < only:
        steps += 1
        things = _prepare(backend, before)
        backend.driver.group = Dying(backend.driver.group, steps)
        try:
            act(backend.driver, things)
            break
        except Killed:
            _check_names(backend, things, names())
        act(backend.again(), things)
        assert _seen(backend, things, names()) == whole, f'killed after change {steps}'
        _erase(backend, things)
    if only is None:
        _erase(backend, things)
    return steps


def _undisturbed(verb, backend, names):
    before, act = VERBS[verb]
    things = _prepare(backend, before)
    act(backend.driver, things)
    whole = _seen(backend, things, names())
    _erase(backend, things)
    assert names() <= {'volumes'}
    return whole


def _prepare(backend, before):
    things = {'new': Volume(str(uuid.uuid4()), 16 * MIB), 'old': Volume(str(uuid.uuid4()), 16 * MIB),
              'kept': Snapshot(str(uuid.uuid4()), 16 * MIB)}
    driver = backend.again()
    if 'old' in before:
        driver.create(things['old'])
        backend.write(things['old'], b'original')
    if 'kept' in before:
        driver.create_snapshot(things['kept'], things['old'])
    return things


def _erase(backend, things):
    driver = backend.again()
    driver.delete_snapshot(things['kept'])
    for name in ('new', 'old'):
        driver.delete(things[name])


def _check_names(backend, things, there):
    """What has a volume's name is a whole one."""
    for name in ('new', 'old'):
        if things[name].name in there:
            assert backend.driver.size(things[name]) in (16 * MIB, 128 * MIB)
    if things['new'].name in there and things['old'].name in there:
        assert backend.read(things['new'], 8) == b'original'


def _seen(backend, things, there):
    """Which there are, the volumes' size and beginning, and how many logical volumes that makes."""
    found = {name: (backend.driver.size(things[name]), backend.read(things[name], 16))
             for name in ('new', 'old') if things[name].name in there}
    return found, f'_{things["kept"].name}' in there, len(there)
