"""The kernel's iSCSI target, through rtslib: one target for each volume, its LUN 0, one ACL for each initiator.

The kernel's tree in configfs is all that is remembered here; rtslib's saved file is not used.
"""
import contextlib
import fcntl
import ipaddress
import os
import pathlib
import re
import threading
import time

from volsvc.privileged import BadArgument, Secret, context, device

PATIENCE = 60.0         # seconds to wait for another process that works on the tree
ROOT = '/sys/kernel/config/target'
# rtslib and the kernel ask for them, and keep nothing of ours there.
STATE = ('/etc/target', '/etc/target/pr', '/etc/target/alua')
_IQN = re.compile(r'iqn\.[0-9]{4}-(0[1-9]|1[0-2])\.[A-Za-z0-9][A-Za-z0-9._:-]{1,200}')
_SERIAL = re.compile(r'[0-9a-f-]{36}')
_CHAP = re.compile(r'[A-Za-z0-9]{12,64}')
_turn = threading.Lock()


class TargetError(Exception):
    """rtslib or the kernel would not."""


@context.entrypoint
def export(target, group, name, serial, portals, initiator, user, password, reuse, readonly):
    """`initiator` reaches the volume by `target` at the `portals` ('address:port'), with CHAP.

    Afterwards the disk's serial number is `serial`.  With `reuse` the credentials that the initiator has stay.
    Returns {'user', 'password', 'portals': those that listen, 'discard': whether space can be given back}.
    """
    initiator = initiator.lower()                   # as the kernel compares it
    iqn(target), iqn(initiator)
    for grammar, text in ((_SERIAL, serial), (_CHAP, user), (_CHAP, password)):
        _check(grammar, text)
    path, portals = device(group, name), [address_of(portal) for portal in portals]
    with _alone() as rtslib:
        disk = _disk(rtslib, name, path, serial)
        group = rtslib.TPG(rtslib.Target(rtslib.FabricModule('iscsi'), target), 1)
        group.set_attribute('authentication', 1)
        group.set_attribute('generate_node_acls', 0)
        for lun in list(group.luns):
            if not _linked(lun):
                lun.delete()
        if not any(True for _ in group.luns):
            rtslib.LUN(group, 0, disk)
        user, password = _admit(rtslib, group, initiator, user, password, reuse, readonly)
        listening = [portal for portal in portals if _listen(rtslib, group, portal)]
        if not listening:
            raise TargetError('none of the portals can be listened at')
        group.enable = True
        return {'user': user, 'password': Secret(password), 'portals': listening,
                'discard': disk.get_attribute('emulate_tpu') == '1'}


@context.entrypoint
def unexport(target, name, initiator=None):
    """The initiator (None: nobody) reaches the volume any more; a target without initiators is gone, and its disk."""
    iqn(target)
    with _alone() as rtslib:
        iscsi = rtslib.FabricModule('iscsi')
        found = _target(rtslib, iscsi, target)
        left = []
        for group in found.tpgs if found else ():
            left += [acl for acl in group.node_acls if not _removed(acl, initiator)]
        if found and not left:
            found.delete()
        if not left:
            for disk in _disks(rtslib, name):
                disk.delete()


@context.entrypoint
def exports():
    """{target: [initiator, …]} of all targets there are."""
    with _alone() as rtslib:
        iscsi = rtslib.FabricModule('iscsi')
        return {target.wwn: [acl.node_wwn for group in target.tpgs for acl in group.node_acls]
                for target in (iscsi.targets if iscsi.exists else ())}


def _target(rtslib, iscsi, name):
    return next((one for one in iscsi.targets if one.wwn == name), None) if iscsi.exists else None


def _removed(acl, initiator) -> bool:
    if initiator is not None and acl.node_wwn != initiator.lower():
        return False
    acl.delete()                    # ends its sessions first
    return True


# ------------------------------------------------------------------ parts of a target

def _disk(rtslib, name, path, serial):
    """The backstore, as it must be; what somebody who was killed left of it is made anew."""
    for disk in _disks(rtslib, name):
        if disk.is_configured() and disk.wwn == serial:
            return disk
        disk.delete()
    for adapter in pathlib.Path(ROOT, 'core').glob('iblock_*'):
        if not any(entry.is_dir() for entry in adapter.iterdir()):
            adapter.rmdir()             # a disk was about to be made below it; rtslib would stumble over it
    disk = rtslib.BlockStorageObject(name, dev=path, wwn=serial)
    with contextlib.suppress(rtslib.RTSLibError):       # the device below has no discard
        disk.set_attribute('emulate_tpu', 1)
    return disk


def _disks(rtslib, name):
    for path in pathlib.Path(ROOT, 'core').glob(f'iblock_*/{name}'):
        yield rtslib.BlockStorageObject(name, index=path.parent.name.rpartition('_')[2])


def _admit(rtslib, group, initiator, user, password, reuse, readonly):
    """The initiator's ACL, complete: credentials, and the LUN; until then nobody gets in by it."""
    acl = rtslib.NodeACL(group, initiator)
    if reuse and acl.chap_userid and acl.chap_password:
        user, password = acl.chap_userid, acl.chap_password
    elif (acl.chap_userid, acl.chap_password) != (user, password):
        acl.chap_userid, acl.chap_password = user, password
    for lun in acl.mapped_luns:
        if _linked(lun) and (readonly or not lun.write_protect):
            return user, password
        lun.delete()
    rtslib.MappedLUN(acl, 0, 0, write_protect=readonly)
    return user, password


def _linked(lun) -> bool:
    """Whether it leads to a disk; one that was being made when somebody was killed does not."""
    return any(entry.is_symlink() for entry in pathlib.Path(lun.path).iterdir())


def _listen(rtslib, group, portal) -> bool:
    address, _, port = portal.rpartition(':')
    try:
        rtslib.NetworkPortal(group, address, int(port))
        return True
    except rtslib.RTSLibError:          # somebody else listens there; that the address is not here yet is no obstacle
        return False


# ------------------------------------------------------------------ one at a time

@contextlib.contextmanager
def _alone():
    """rtslib, with nobody else at work on the tree; what it or the kernel says is a TargetError."""
    if not _turn.acquire(timeout=PATIENCE):
        raise TargetError('the target is busy')
    try:
        rtslib = _rtslib()
    except BaseException:
        _turn.release()
        raise
    try:
        with _locked():
            rtslib.tcm.bs_cache.clear()             # others may have made and removed disks
            yield rtslib
    except (OSError, rtslib.RTSLibError) as error:
        raise TargetError(str(error)) from None
    finally:
        _turn.release()


def _rtslib():
    import rtslib_fb
    try:
        for folder in STATE:
            os.makedirs(folder, mode=0o700, exist_ok=True)
        rtslib_fb.RTSRoot()                         # configfs is mounted and the kernel's module there
    except (OSError, rtslib_fb.RTSLibError) as error:
        raise TargetError(f'the kernel has no target: {error}') from None
    return rtslib_fb


@contextlib.contextmanager
def _locked():
    """Alone among processes: a lock on the tree itself."""
    tree, end = os.open(ROOT, os.O_RDONLY | os.O_DIRECTORY), time.monotonic() + PATIENCE
    try:
        while True:
            try:
                fcntl.flock(tree, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > end:
                    raise TargetError('the target is busy') from None
                time.sleep(0.05)
        yield
    finally:
        os.close(tree)


def address_of(text: str) -> str:
    """'address:port' of a portal, an IPv6 address in brackets; BadArgument."""
    host, _, port = text.rpartition(':') if isinstance(text, str) else ('', '', '')
    try:
        address = ipaddress.ip_address(host.removeprefix('[').removesuffix(']'))
        good = port.isascii() and port.isdigit() and 0 < int(port) < 65536
    except ValueError:
        good = False
    if not good:
        raise BadArgument(f'{text!r} is not the address:port of a portal.')
    return f'[{address}]:{port}' if address.version == 6 else f'{address}:{port}'


def iqn(text: str) -> str:
    """The name of a target or an initiator; BadArgument."""
    return _check(_IQN, text)


def _check(grammar, text):
    if not isinstance(text, str) or not grammar.fullmatch(text):
        raise BadArgument('A name does not follow its grammar.')
    return text
