"""Finds out whether this machine's KVM can really run a guest.

/dev/kvm being there proves little. Seen on a nested machine: it opens, makes virtual machines, and then

    KVM internal error. Suberror: 1
    emulation failure

at the boot loader's first interrupt. So the guest itself is started once; the answer is kept for as long as the machine
is up.
"""

import os
import pathlib
import shutil
import subprocess
import tempfile
import time

from onebox.guest.report import sizes_seen

BOOT_SECONDS = 10       # with a working KVM it takes one
BOOT_ID = pathlib.Path('/proc/sys/kernel/random/boot_id')


def kvm_works(image, seconds=BOOT_SECONDS) -> bool:
    """True if the guest came up under KVM within so many seconds. Does not write to the image."""
    if not os.access('/dev/kvm', os.R_OK | os.W_OK) or not shutil.which('qemu-system-x86_64'):
        return False
    image = pathlib.Path(image)
    answer = image.parent / f'kvm-{BOOT_ID.read_text().strip()}'
    if not answer.exists():
        _forget_others(answer)
        answer.write_text('yes' if _boots(image, seconds) else 'no')
    return answer.read_text() == 'yes'


def _forget_others(answer):
    for older in answer.parent.glob('kvm-*'):
        older.unlink(missing_ok=True)


def _boots(image, seconds):
    with tempfile.TemporaryDirectory() as folder:
        console, errors = pathlib.Path(folder, 'console'), pathlib.Path(folder, 'errors')
        console.touch()
        command = ['qemu-system-x86_64', '-accel', 'kvm', '-cpu', 'host', '-m', '128', '-nodefaults', '-display',
                   'none', '-serial', f'file:{console}', '-snapshot', '-drive', f'file={image},format=raw,if=virtio']
        with errors.open('wb') as stderr, subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=stderr) as qemu:
            try:
                return _wait(qemu, console, errors, time.monotonic() + seconds)
            finally:
                qemu.kill()


def _wait(qemu, console, errors, until):
    while time.monotonic() < until and qemu.poll() is None:
        if sizes_seen(console.read_text(errors='replace')):
            return True
        if b'KVM internal error' in errors.read_bytes():
            return False
        time.sleep(0.1)
    return False
