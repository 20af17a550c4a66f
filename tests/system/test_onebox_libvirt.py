"""onebox with a real libvirt: a libvirtd that hangs, guests that outlive it, and the demonstration."""
import os
import signal
import subprocess
import sys
import time

import pytest

from onebox import guest, libvirtd
from tests.system.box import ROOT, Box
from tests.system.cloud import Cloud

pytestmark = pytest.mark.system
GIB = 1 << 30


@pytest.fixture(scope='module', autouse=True)
def image():
    """The guest's image, made once on each machine."""
    try:
        libvirtd.Libvirtd('/nowhere')._check_machine()
        return guest.image()
    except (libvirtd.Unavailable, guest.Unavailable) as error:
        pytest.skip(str(error))


@pytest.fixture
def box(tmp_path):
    box = Box(tmp_path, '--hypervisor', 'libvirt', '--backend', 'file')
    yield box
    box.kill()
    libvirtd.Libvirtd(box.state).stop(guests=True)


def wait(condition, seconds=90):
    until = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < until
        time.sleep(0.1)
    return found


def image_id(box):
    found = wait(lambda: [row for row in box.openstack('image', 'list') if row['Status'] == 'active'])
    return found[0]['ID']


def boot(box, cloud) -> str:
    """The id of a running server whose guest has come up."""
    root = cloud.new_volume(1, imageRef=image_id(box))
    wait(lambda: cloud.volume('GET', f'/volumes/{root}')['volume']['status'] == 'available')
    server = cloud.compute('POST', '/servers', {'server': {
        'name': 'guest', 'flavorRef': '42', 'networks': 'none', 'imageRef': '',
        'block_device_mapping_v2': [{'uuid': root, 'source_type': 'volume', 'destination_type': 'volume',
                                     'boot_index': 0}]}})['server']['id']
    wait(lambda: cloud.compute('GET', f'/servers/{server}')['server']['status'] == 'ACTIVE')
    wait(lambda: 'disks: vda' in console(cloud, server))
    return server


def console(cloud, server) -> str:
    return cloud.compute('POST', f'/servers/{server}/action', {'os-getConsoleOutput': {}})['output']


def test_a_libvirtd_that_hangs_freezes_nothing_else(box):
    """It is stopped in its tracks while guests are handled: every API goes on answering, and afterwards all goes on."""
    box.start()
    cloud = Cloud(box.state / 'clouds.yaml', timeout=5)
    server = boot(box, cloud)
    daemon = int((box.state / 'libvirt' / 'libvirtd.pid').read_text())
    os.kill(daemon, signal.SIGSTOP)
    try:
        cloud.compute('POST', f'/servers/{server}/action', {'os-stop': None}, good=(202,))
        slowest, until = 0, time.monotonic() + 6
        while time.monotonic() < until:
            began = time.monotonic()
            cloud.volume('GET', '/volumes/detail')
            cloud.compute('GET', '/servers/detail')
            cloud.log_in()
            slowest = max(slowest, time.monotonic() - began)
        made = cloud.new_volume(1)
        wait(lambda: cloud.volume('GET', f'/volumes/{made}')['volume']['status'] == 'available', 10)
    finally:
        os.kill(daemon, signal.SIGCONT)
    assert slowest < 2
    wait(lambda: cloud.compute('GET', f'/servers/{server}')['server']['status'] == 'SHUTOFF')


def test_a_guest_outlives_a_restart_and_its_disk_grows_after_it(box):
    box.start()
    cloud = Cloud(box.state / 'clouds.yaml')
    server = boot(box, cloud)
    data = cloud.new_volume(1)
    wait(lambda: cloud.volume('GET', f'/volumes/{data}')['volume']['status'] == 'available')
    cloud.compute('POST', f'/servers/{server}/os-volume_attachments', {'volumeAttachment': {'volumeId': data}})
    wait(lambda: guest.size_seen(console(cloud, server), data) == GIB)
    box.stop()
    assert libvirtd.Libvirtd(box.state).guests()

    box.start()
    cloud = Cloud(box.state / 'clouds.yaml')
    assert cloud.compute('GET', f'/servers/{server}')['server']['status'] == 'ACTIVE'
    cloud.volume('POST', f'/volumes/{data}/action', {'os-extend': {'new_size': 2}}, good=(202,))
    wait(lambda: guest.size_seen(console(cloud, server), data) == 2 * GIB)


def demo(**environment):
    return subprocess.run([sys.executable, '-m', 'onebox.demo'], cwd=ROOT, capture_output=True, text=True, timeout=280,
                          env={**os.environ, **environment})


def test_the_demonstration():
    done = demo()
    assert done.returncode == 0, done.stdout + done.stderr
    for line in ('openstack volume set --size 2 data', 'volume service', 'guest: serial console', 'grow_backend',
                 'grow_guest_disk'):
        assert line in done.stdout
    table = [line for line in done.stdout.splitlines() if line.strip().startswith('guest: serial console')]
    assert '1 GiB' in table[0] and '2 GiB' in table[0]
    assert '\033' not in done.stdout


def test_a_demonstration_that_fails_says_in_which_step(tmp_path):
    """Without QEMU on the PATH there is no libvirt."""
    for tool in ('python3', 'setpriv', 'busybox'):
        (tmp_path / tool).symlink_to(f'/usr/bin/{tool}')
    done = demo(PATH=str(tmp_path))
    assert done.returncode == 1
    assert '✗ The step "Start onebox with libvirt" failed' in done.stdout
    assert 'install' in done.stdout
