"""What libvirtd found out about this machine's QEMUs, kept from one state folder to the next.

A libvirtd with an empty cache asks every QEMU on the machine what it can do, which
takes seconds (7.5 s with two under emulation) before it answers the first caller.
libvirt itself checks each file against the QEMU, libvirt, kernel and KVM it was
made with, and asks again if any of them changed (virFileCache, qemu_capabilities.c).
"""
import contextlib
import os
import pathlib
import shutil

from onebox.guest.image import default_cache


def kept() -> pathlib.Path:
    return default_cache() / 'qemu-capabilities'


def restore(capabilities: pathlib.Path) -> None:
    """Fills libvirt's folder of capabilities, if it is new."""
    if not capabilities.exists() and kept().exists():
        shutil.copytree(kept(), capabilities)


def keep(capabilities: pathlib.Path) -> None:
    """Remembers what is in libvirt's folder; not being able to is no harm."""
    with contextlib.suppress(OSError):
        kept().mkdir(parents=True, exist_ok=True)
        for found in capabilities.glob('*.xml'):
            known = kept() / found.name
            if not known.exists() or known.read_bytes() != found.read_bytes():
                beside = kept() / f'{found.name}.{os.getpid()}'
                shutil.copyfile(found, beside)
                os.replace(beside, known)
