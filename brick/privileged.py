"""What only root may do, as named functions: this is the whole list.

They run in a daemon of oslo.privsep (section privsep_brick), which is uid 0 with two capabilities:

- CAP_SYS_ADMIN for the device mapper's ioctls and for mounting;
- CAP_SYS_NICE as it goes before others, and the programs that it starts do not (brick/turns.py);
- none for the rest: files of sysfs and of open-iscsi belong to root, and multipathd asks for uid 0;
- the programs of brick/programs.py are run by uid 0, which the kernel gives all of root's again.

Each checks its arguments inside the daemon, against the grammar in brick/names.py, so a caller that was taken over
can do no more than is written here. No result may be a secret: the daemon logs results at level debug.
The exceptions, prepare_login() and luks_resize(), return none of theirs.

Nothing else in brick runs a program or writes below /sys. The daemon imports this module, so it must stay light.
"""

import collections
import contextlib
import functools
import os
import subprocess
import threading
import time

from oslo_config import cfg
from oslo_privsep import capabilities

from brick import errors, names, node_records, programs, settings, turns
from brick.daemon import Context
from brick.sysfs import Sysfs

SYS = '/sys'
LATE, MISSING = 124, 127            # exit statuses, as timeout(1) and shells have them
_MOMENT = 0.05         # seconds; a healthy disk answers within one or two thousandths
_THREADS = 64           # a call may wait for a portal that is down, and must not hold up the others
_ENVIRONMENT = {'PATH': '/usr/sbin:/usr/bin:/sbin:/bin', 'LC_ALL': 'C'}

context = Context('brick', cfg_section='privsep_brick', pypath='brick.privileged.context',
                  capabilities=[capabilities.CAP_SYS_ADMIN, capabilities.CAP_SYS_NICE],
                  logger_name='brick.privileged', helper=lambda: settings.helper, ahead=True)
cfg.CONF.set_default('thread_pool_size', _THREADS, 'privsep_brick')


def warm_up():
    """The daemon runs. NotPrivileged, with a sentence, if it cannot."""
    if context.client_mode and not (context.channel and context.channel.running):
        _process()


@context.entrypoint
def _process():
    """The daemon's process; afterwards it has a session of its own, so a Ctrl-C at our terminal is not for it."""
    with contextlib.suppress(PermissionError):      # it has one
        os.setsid()
    return os.getpid()


# ---------------------------------------------------------------- SCSI

@context.entrypoint
def rescan(devices, timeout=10.0):
    """Each of the SCSI `devices` was asked for its size; none of them waits for another that does not answer.

    Returns {device: what went wrong, '' if nothing}. A path that is down may not answer for minutes: after `timeout`
    seconds it is left behind.
    """
    paths = [f'{SYS}/class/block/{names.device(device)}/device/rescan' for device in devices]
    return dict(zip(devices, _write_all(paths, '1', timeout), strict=True))


def grow(devices, size, over=None, timeout=10.0):
    """rescan(); if all disks then have the same size, at least `size` bytes, multipathd was told to resize `over`.

    `over`: their map ('dm-0'). Returns (what rescan() does, multipathd's reply or '' if it was not asked, bytes of each
    disk and of the map as read back). All in one call, for which its caller goes before others, too.
    """
    with turns.waiting(context) as threads:
        return _grow(devices, size, over, timeout, threads)


@context.entrypoint
def _grow(devices, size, over, timeout, waiting):
    turns.bring_ahead(waiting)
    seen = [names.device(device) for device in [*devices, *filter(None, [over])]]
    sysfs = Sysfs(os.path.dirname(SYS))
    answers, reply = rescan(devices, timeout), ''
    if over and not any(answers.values()):
        sizes = {sysfs.size(device) for device in devices}
        if len(sizes) == 1 and sizes.pop() >= size:
            try:
                reply = multipathd(['resize', 'map', sysfs.map_name(over)], timeout)
            except errors.MultipathError as error:
                reply = str(error)
    return answers, reply, {device: sysfs.size(device) for device in seen}


def _write_all(paths, text, timeout):
    """What came of each write. One follows the other, but for at most a moment: then it is beside it.

    Where nothing holds them up this is faster than all at once, as udev, which a rescan wakes up, has less to get
    between; measured on one processor, 4 disks: 45 against 120 ms.
    """
    answers = ['did not answer'] * len(paths)
    left = list(enumerate(paths))

    def write(done):
        while left:
            with contextlib.suppress(IndexError):
                place, path = left.pop(0)
                try:
                    with open(path, 'w') as file:
                        file.write(text)
                    answers[place] = ''
                except OSError as error:
                    answers[place] = error.strerror
        done.set()

    end, begun, seen = time.monotonic() + timeout, [], None
    while left:
        if len(left) == seen or not begun:          # who is at it is held up
            begun.append(threading.Event())
            _beside(functools.partial(write, begun[-1]))
        seen = len(left)
        begun[-1].wait(_MOMENT)
    for done in begun:
        done.wait(max(0, end - time.monotonic()))
    return list(answers)


_jobs, _wanted, _idle = collections.deque(), threading.Semaphore(0), threading.Semaphore(0)


def _beside(job):
    """job() runs in a thread that is kept for the next one: to make a thread can take longer than what it does here."""
    if not _idle.acquire(blocking=False):
        threading.Thread(target=_work, daemon=True).start()
    _jobs.append(job)
    _wanted.release()


def _work():
    while True:
        _wanted.acquire()
        _jobs.popleft()()
        _idle.release()


@context.entrypoint
def scan(host, channel, target, lun, timeout=30.0):
    """The SCSI host looks for this LUN; '-' stands for any. BrickError."""
    for word in (host, channel, target, lun):
        if word != '-':
            names.number(word)
    _write(f'{SYS}/class/scsi_host/host{names.number(host)}/scan', f'{channel} {target} {lun}', timeout)


@context.entrypoint
def remove(device, timeout=60.0):
    """The SCSI device is gone from this host; no error if it was not there. BrickError."""
    path = f'{SYS}/block/{names.device(device)}/device/delete'
    if os.path.exists(path):
        _write(path, '1', timeout)


def _write(path, text, timeout):
    if answer := _write_all([path], text, timeout)[0]:
        raise errors.BrickError(f'{path}: {answer}')


# ---------------------------------------------------------------- iSCSI

@context.entrypoint
def initiator_name():
    """What open-iscsi says of this host, the text of /etc/iscsi/initiatorname.iscsi; '' if it says nothing."""
    with contextlib.suppress(FileNotFoundError), open('/etc/iscsi/initiatorname.iscsi') as file:
        return file.read()
    return ''


@context.entrypoint
def prepare_login(iqn, portal, chap=None):
    """open-iscsi's record of the portal has what a login needs; `chap`: (name, secret), which nobody else is told."""
    words = (names.chap(chap[0], 'CHAP name'), names.chap(chap[1], 'CHAP secret')) if chap else ()
    node_records.prepare(names.iqn(iqn), *names.split_portal(portal), *words)


@context.entrypoint
def run(words, timeout):
    """(exit status, output, errors) of a program of programs.py, which is ended after `timeout` seconds.

    One that does not end even so, because the kernel waits for a device, is left behind; its status is LATE.
    """
    try:
        with turns.taking_turns():
            process = subprocess.Popen(programs.check(words), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                       stderr=subprocess.PIPE, text=True, errors='replace', env=_ENVIRONMENT)
        out, err = process.communicate(timeout=timeout)
        return process.returncode, out, err
    except FileNotFoundError:
        return MISSING, '', f'{words[0]} is not installed.'
    except subprocess.TimeoutExpired:
        process.kill()
        threading.Thread(target=process.wait, daemon=True).start()
        return LATE, '', f'{words[0]} did not end within {timeout:.0f} s.'


# ---------------------------------------------------------------- multipathd, LUKS

_MULTIPATHD = {                         # first words → grammar of the last one, None: there is none
    ('reconfigure',): None,
    ('show', 'status'): None,
    ('show', 'paths', 'raw', 'format', '%d'): None,
    ('resize', 'map'): names.dm_map,
    ('add', 'map'): names.dm_map,
    ('del', 'map'): names.dm_map,
    ('disablequeueing', 'map'): names.dm_map,
    ('restorequeueing', 'map'): names.dm_map,
    ('add', 'path'): names.device,
    ('del', 'path'): names.device,
}


@context.entrypoint
def multipathd(words, timeout=10.0):
    """multipathd's answer to a command of the table above, e.g. ['resize', 'map', '36001405…']."""
    words = list(words)
    from brick import multipath
    if tuple(words) not in _MULTIPATHD:
        grammar = _MULTIPATHD.get(tuple(words[:-1]))
        if grammar is None:
            raise errors.BadConnection(f'{" ".join(words)!r} is no command for multipathd.')
        grammar(words[-1])
    return multipath.ask(words, timeout)


@context.entrypoint
def luks_resize(name, device, size, key=None):
    """The LUKS mapper `name` covers the `size` bytes of the device below it ('dm-0'); returns the bytes it should have.

    `key`: the passphrase as bytes, for cryptsetup's standard input; results are logged, arguments are not.
    """
    from brick import luks
    with turns.taking_turns():
        return luks.resize(names.dm_map(name), names.device(device), int(size), key)
