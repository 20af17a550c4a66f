"""LVM's commands, each with the one use that the driver has for it; lvm(8) and its neighbours describe them.

`group` is a volume group, `folder` where its lvm.conf lies (None: the system's), sizes are bytes.  A command that
fails is a CommandFailed; one that somebody else's command holds up for too long is a Busy.
"""
import json
import os
import stat
import subprocess
import threading
import time

from volsvc.privileged import BadArgument, CommandFailed, context, lvm_name, number, volume_name

PATIENCE = 60.0         # seconds to wait for whoever else is changing the volume group
LIMIT = 300.0           # seconds that a command itself may take
LOOK = 0.1
LOCKED = "Can't get lock"
PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'
VOLUME = 'lv_name,lv_size,origin,pool_lv,lv_active,lv_device_open,lv_snapshot_invalid'
_turns: dict[str, threading.Lock] = {}


class Busy(Exception):
    """Somebody else holds the volume group's lock."""


# ------------------------------------------------------------------ what there is

@context.entrypoint
def volumes(group, folder, ids=None):
    """The columns `VOLUME` of all, or of the volumes and snapshots with these ids and what was made from them."""
    where = []
    if ids is not None:
        names = [volume_name(f'volume-{id}')[7:] for id in ids]
        where = ['--select', ' || '.join(f'lv_name=~"-{id}" || origin=~"-{id}"' for id in names)]
    return _report(group, folder, 'lvs', 'lv', VOLUME, *where, lvm_name(group))


@context.entrypoint
def pool(group, folder, name):
    """lv_size, data_percent and metadata_percent of a thin pool; [] if there is none of that name."""
    return _report(group, folder, 'lvs', 'lv', 'lv_size,data_percent,metadata_percent',
                   '--select', f'lv_name="{lvm_name(name)}" && segtype=thin-pool', lvm_name(group))


@context.entrypoint
def space(group, folder):
    """vg_size, vg_free and vg_extent_size of the group."""
    return _report(group, folder, 'vgs', 'vg', 'vg_size,vg_free,vg_extent_size', lvm_name(group))


def _report(group, folder, command, kind, fields, *words):
    said = _lvm(group, folder, command, '--reportformat', 'json', '--units', 'b', '--nosuffix', '-o', fields, *words)
    return json.loads(said)['report'][0][kind]


# ------------------------------------------------------------------ changes

@context.entrypoint
def create(group, folder, name, size, pool=None):
    """An active volume, its beginning zero; with `pool` a thin one, all of it zero."""
    place = ['--virtualsize', _bytes(size), '--thinpool', lvm_name(pool)] if pool else [
        '--size', _bytes(size), '--wipesignatures', 'y', '--zero', 'y']
    _lvm(group, folder, 'lvcreate', '--yes', '--name', volume_name(name), *place, lvm_name(group))


@context.entrypoint
def create_pool(group, folder, name):
    """A thin pool with nearly all of the group; what is left is for its metadata to grow."""
    _lvm(group, folder, 'lvcreate', '--yes', '--type', 'thin-pool', '--zero', 'y', '--name', lvm_name(name),
         '--extents', '95%FREE', lvm_name(group))


@context.entrypoint
def snapshot(group, folder, name, origin, size=None):
    """What the origin holds now.  `size`: of the room for what changes from here on; 0: room for everything.

    Without a `size` it is a thin volume of its own.
    """
    room = ['--setactivationskip', 'n']
    if size is not None:
        room = ['--size', _bytes(size)] if size else ['--extents', '100%ORIGIN']
    _lvm(group, folder, 'lvcreate', '--yes', '--snapshot', *room, '--name', volume_name(name), _path(group, origin))


@context.entrypoint
def extend(group, folder, name, size):
    _lvm(group, folder, 'lvextend', '--size', _bytes(size), _path(group, name))


@context.entrypoint
def rename(group, folder, old, new):
    _lvm(group, folder, 'lvrename', lvm_name(group), volume_name(old), volume_name(new))


@context.entrypoint
def activate(group, folder, name, active=True):
    """Its device is there, or is not."""
    _lvm(group, folder, 'lvchange', '--activate', 'y' if active else 'n', '--ignoreactivationskip', _path(group, name))


@context.entrypoint
def refresh(group, folder, name):
    """The device is as the group's metadata say, whatever a killed command left."""
    _lvm(group, folder, 'lvchange', '--refresh', _path(group, name))


@context.entrypoint
def split(group, folder, name):
    """A thick snapshot is a volume with what it had set aside, and the origin is free of it."""
    _lvm(group, folder, 'lvconvert', '--yes', '--splitsnapshot', _path(group, name))


@context.entrypoint
def remove(group, folder, name):
    _lvm(group, folder, 'lvremove', '--force', _path(group, name))


# ------------------------------------------------------------------ the command

def _path(group, name):
    return f'{lvm_name(group)}/{volume_name(name)}'


def _bytes(size):
    return f'{number(size, least=1)}b'


def _lvm(group, folder, *words):
    """What a command printed.  Ours take turns here; for others' it waits without LVM's own, unbounded wait."""
    command = ['lvm', words[0], '--config', 'global/wait_for_locks=0', *words[1:]]
    environment = {'PATH': PATH, 'LC_ALL': 'C', 'LVM_SUPPRESS_FD_WARNINGS': '1'}
    if folder is not None:
        environment['LVM_SYSTEM_DIR'] = _trusted(folder)
    end = time.monotonic() + PATIENCE
    turn = _turns.setdefault(group, threading.Lock())
    if not turn.acquire(timeout=LIMIT):
        raise Busy('the volume group is busy')
    try:
        while True:
            status, said, complaints = _run(command, environment)
            if status == 0:
                return said
            if LOCKED not in complaints:
                raise CommandFailed(words[0], status, complaints.strip())
            if time.monotonic() > end:
                raise Busy('the volume group is busy')
            time.sleep(LOOK)
    finally:
        turn.release()


def _run(command, environment):
    """One that takes too long is asked to end, and left: killed half way it could leave devices suspended."""
    process = subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,  # noqa: S603
                               stderr=subprocess.PIPE, text=True, errors='replace')
    try:
        said, complaints = process.communicate(timeout=LIMIT)
    except subprocess.TimeoutExpired:
        process.terminate()
        raise CommandFailed(command[1], -1, f'did not end within {LIMIT:.0f} s') from None
    return process.returncode, said, complaints


def _trusted(folder):
    """LVM runs programs that its configuration names: that must be root's alone."""
    for path in (folder, os.path.join(folder, 'lvm.conf')):
        found = os.stat(path)
        if not os.path.isabs(path) or found.st_uid != 0 or found.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
            raise BadArgument('The folder of lvm.conf, and it, must be writable by root alone.')
    return folder
