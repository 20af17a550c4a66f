"""What a volume service wants to know of a host that is to see its volumes."""

import contextlib
import functools
import glob
import os
import platform
import sys

from brick import errors

INITIATOR = '/etc/iscsi/initiatorname.iscsi'


def properties(host, ip, multipath=False, enforce_multipath=False, root='/'):
    """The dictionary of os-brick's get_connector_properties(), as Cinder's drivers read it.

    What this host does not have, or does not show to this process, is left out. Costs a few small files; the
    privileged daemon is asked once, and only where the initiator's name is for root's eyes. `root` stands for `/`
    (tests). With `enforce_multipath` a multipathd that does not answer is a BrickError.
    """
    if multipath and enforce_multipath:
        _multipathd_answers()
    found = {
        'host': host, 'ip': ip, 'platform': platform.machine(), 'os_type': sys.platform, 'multipath': multipath,
        'enforce_multipath': enforce_multipath, 'do_local_attach': False, 'initiator': initiator(root),
        'system uuid': _read(os.path.join(root, 'sys/class/dmi/id/product_uuid')),
        'nqn': _read(os.path.join(root, 'etc/nvme/hostnqn')), **_fibre_channel(root)}
    return {name: value for name, value in found.items() if value not in (None, '', [])}


def initiator(root='/'):
    """The iSCSI name of this host, '' if it has none."""
    path = os.path.join(root, INITIATOR.lstrip('/'))
    try:
        with open(path) as file:
            return _named(file.read())
    except PermissionError:
        with contextlib.suppress(errors.NotPrivileged):
            return _named(_asked_root())
        return ''
    except OSError:
        return ''


def _named(text):
    names = [line.partition('=')[2].strip() for line in text.splitlines() if line.startswith('InitiatorName=')]
    return names[0] if names else ''


@functools.cache
def _asked_root():
    from brick import privileged
    return privileged.initiator_name()


def _fibre_channel(root):
    """{'wwpns': […], 'wwnns': […]} of the ports that are online."""
    hosts = sorted(glob.glob(os.path.join(root, 'sys/class/fc_host/host*')))
    online = [host for host in hosts if _read(f'{host}/port_state') == 'Online']
    return {key: [_read(f'{host}/{file}').removeprefix('0x') for host in online]
            for key, file in (('wwpns', 'port_name'), ('wwnns', 'node_name'))}


def _multipathd_answers():
    from brick import privileged
    try:
        privileged.multipathd(['show', 'status'])
    except (OSError, errors.BrickError) as error:
        raise errors.MultipathError(f'Multipath is enforced, but multipathd does not answer: {error}') from error


def _read(path):
    with contextlib.suppress(OSError), open(path) as file:
        return file.read().strip()
    return ''
