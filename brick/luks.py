"""LUKS mappers as large as the device below them, by cryptsetup: the one program that a growth may run.

A mapper of LUKS 2 may have its key in the kernel's keyring, where only cryptsetup can put it again, so a passphrase is
needed then; it goes through standard input. Only root may do any of this.
"""

import json
import struct
import subprocess

from brick import errors

SECTOR = 512
_MAGIC = b'LUKS\xba\xbe'
SECONDS = 60            # for deriving a key from the passphrase, which is slow on purpose


def payload(disk):
    """Bytes before the data of a LUKS device, which is an open file.

    LUKS1: payload-offset at 104, in sectors (on-disk format 1.2.3). LUKS2: JSON after 4096 bytes of binary header,
    first segment (on-disk format 1.1.2). BadConnection if it is neither.
    """
    header = disk.read(4096)
    version, = struct.unpack_from('>H', header, 6) if header[:6] == _MAGIC else (0,)
    if version == 1:
        return struct.unpack_from('>I', header, 104)[0] * SECTOR
    if version == 2:
        text = disk.read(struct.unpack_from('>Q', header, 8)[0] - len(header)).split(b'\0', 1)[0]
        segments = json.loads(text)['segments']
        return int(segments[min(segments, key=int)]['offset'])
    raise errors.BadConnection('The device has no LUKS header.')


def resize(name, device, size, key=None):
    """The mapper `name` covers all `size` bytes of `device` ('dm-0'); returns the bytes that it should have.

    `key`: passphrase as bytes, or None if the mapper does without. Runs nothing if there is nothing to do.
    """
    with open(f'/dev/{device}', 'rb') as disk:
        wanted = size - payload(disk)
    with open(f'/dev/mapper/{name}', 'rb') as mapper:
        if mapper.seek(0, 2) == wanted:
            return wanted
    run = subprocess.run(['cryptsetup', 'resize', '--batch-mode', '--key-file', '-', name], input=key or b'',
                         capture_output=True, timeout=SECONDS, check=False)
    if run.returncode:
        raise errors.BrickError(f'cryptsetup could not resize {name}: {run.stderr.decode(errors="replace").strip()}')
    return wanted
