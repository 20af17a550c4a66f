"""How os-brick does what only root may do here: by the named functions of privileged.py.

os-brick asks for programs as words; some of them are no programs here but a write to sysfs, a file, or a word with
multipathd by its socket.
"""

import os
import re
import time

from oslo_concurrency import processutils

from brick import errors, names, privileged

_DELETE = re.compile(r'/sys/block/([^/]+)/device/delete')
_SCAN = re.compile(r'/sys/class/scsi_host/host([0-9]+)/scan')
_IN_USE = 10            # seconds for udev and others who look at each new device to close it again
# Seconds: a flush waits for I/O that may never end. A login to a portal that is down takes eight times 15.
_FLUSHES = ('multipath', '-f'), ('blockdev', '--flushbufs')
_LONGEST = {'multipath': 30, 'blockdev': 30, 'iscsiadm': 180, 'mount': 120}


def execute(*words, process_input=None, check_exit_code=True, attempts=1, timeout=60, interval=1, **_):
    """(output, errors) of what os-brick wants; ProcessExecutionError as it expects it."""
    words = [str(word) for word in words]
    accepted = _accepted(check_exit_code)
    if tuple(words[:2]) in _FLUSHES:
        attempts, interval = _IN_USE, 1
    for left in reversed(range(attempts)):
        status, out, err = _done(words, process_input, timeout)
        if accepted is None or status in accepted:
            return out, err
        if status == privileged.LATE:
            break
        if left:
            time.sleep(interval)
    raise processutils.ProcessExecutionError(stdout=out, stderr=err, exit_code=status, cmd=' '.join(words))


def _accepted(check_exit_code):
    """The exit statuses that are no error, None: all."""
    if check_exit_code is False:
        return None
    if check_exit_code is True:
        return [0]
    return [check_exit_code] if isinstance(check_exit_code, int) else check_exit_code


def _done(words, process_input, timeout):
    """(exit status, output, errors)."""
    try:
        if special := _SPECIAL.get(words[0]):
            return 0, special(words[1:], process_input), ''
        return privileged.run(words, _LONGEST.get(words[0], timeout))
    except (OSError, errors.BrickError) as error:
        return 1, '', str(error)


def _tee(words, process_input):
    path = words[-1]
    if found := _DELETE.fullmatch(path):
        privileged.remove(found[1])
    elif found := _SCAN.fullmatch(path):
        privileged.scan(found[1], *process_input.split())
    else:
        raise errors.BadConnection(f'{path} is no file that brick writes.')
    return ''


def _cat(words, _):
    if words != ['/etc/iscsi/initiatorname.iscsi']:
        raise errors.BadConnection(f'{words} is no file that brick reads.')
    return privileged.initiator_name()


def _multipathd(words, _):
    return privileged.multipathd([word.removeprefix('/dev/') for word in words])


def _mkdir(words, _):
    os.makedirs(names.folder(words[-1]), exist_ok=True)
    return ''


_SPECIAL = {'tee': _tee, 'cat': _cat, 'multipathd': _multipathd, 'mkdir': _mkdir}
