"""Small files that a crash leaves whole: the old content or the new one."""
import os
import pathlib


def write(path: pathlib.Path, content: str, mode=0o600) -> None:
    """Replaces the file; afterwards its content is on the disk.

    The file never exists with wider permissions than `mode`.
    """
    beside = path.with_name(path.name + '.new')
    beside.unlink(missing_ok=True)
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, 'w') as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    os.replace(beside, path)
