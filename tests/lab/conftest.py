"""What the lab's tests share. They run in the lab's machine and are skipped elsewhere."""
import os

import pytest

from tests import databases
from tests.lab.everything import TWO_HOSTS

LINES, LINE = 60, 500       # of a log that are shown, and characters of each
INSIDE = 'LAB_NODE' in os.environ


def pytest_collection_modifyitems(items):
    for item in items:
        if item.path.parent.name == 'lab':
            item.add_marker(pytest.mark.lab)
            if not INSIDE:
                item.add_marker(pytest.mark.skip(reason='runs in the lab\'s machine: ./stack.sh lab'))
            elif item.path.name in TWO_HOSTS and 'LAB_HOSTS' not in os.environ:
                item.add_marker(pytest.mark.skip(reason='needs a second machine: python -m tests.lab --hosts 2'))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """What failed comes with the end of its onebox's log, without the requests that went well."""
    report = yield
    box = getattr(item, 'funcargs', {}).get('box')
    if report.failed and box:
        lines = (box.state / 'onebox.log').read_text(errors='replace').splitlines()
        lines = [line for line in lines if ' INFO svckit.access ' not in line]
        report.sections.append(('onebox.log', '\n'.join(line[:LINE] for line in lines[-LINES:])))
    return report


@pytest.fixture(scope='module')
def box(tmp_path_factory):
    """Both services on logical volumes, iSCSI, multipath and libvirt; they answer, and log all that they can."""
    from tests.lab.services import LabBox
    box = LabBox(tmp_path_factory.mktemp('box'))
    for name in ('volsvc', 'computesvc'):
        with open(box.state / f'{name}.conf', 'a') as file:
            file.write('\n[DEFAULT]\ndebug = true\n')
    box.start()
    yield box
    box.end()


@pytest.fixture(scope='module')
def openstack(box):
    """The real client of a normal user: client.Openstack."""
    from tests.lab.client import Openstack
    client = Openstack(box.environment('onebox', by_file=True), box.folder)
    yield client
    client.close()


@pytest.fixture(scope='session')
def two_hosts(tmp_path_factory):
    """A deployment on both machines: deployment.TwoHosts, with a flavor of its `flavors` for each number of processors.

    The files of TWO_HOSTS share it, as it takes a minute to start.
    """
    from tests.lab.deployment import TwoHosts
    try:
        starter = databases.rabbitmq(TwoHosts.address)
        broker = starter.__enter__()
    except databases.Missing as missing:
        pytest.skip(str(missing))
    cloud = TwoHosts(tmp_path_factory.mktemp('two'), broker.url)
    try:
        cloud.add_image('tiny', os.urandom(1 << 20))
        yield cloud.start()
    except BaseException:
        print(cloud.processes.last_words())
        raise
    finally:
        cloud.stop()
        starter.__exit__(None, None, None)


@pytest.fixture
def clean():
    """The test leaves nothing behind of what traces.py sees."""
    from tests.lab import traces
    from tests.system.processes import eventually
    before = traces.seen()
    yield before
    eventually('nothing is left behind', lambda: traces.same(before), seconds=20)
