"""Builds the guest's disk image, once for each recipe, and finds it again afterwards."""

import contextlib
import fcntl
import hashlib
import os
import pathlib
import tempfile

from onebox.guest import fat, initramfs, modules, packages
from onebox.guest.errors import Unavailable

__all__ = ['Unavailable', 'image']

SIZE = 16 << 20
SPARE = 1 << 20     # bytes at the end that are in no file system: init.sh keeps its counter there
INIT = pathlib.Path(__file__).with_name('init.sh')
SYSLINUX = '''DEFAULT linux
LABEL linux
KERNEL vmlinuz
INITRD initrd
APPEND console=ttyS0 quiet panic=-1
'''


def image(cache_dir=None, progress=lambda text: None) -> pathlib.Path:
    """The path of the image, 16 MiB, raw, bootable by BIOS. Do not write to it: copy it.

    Made now if the cache has none of this recipe (some 20 s and a download of 70 MB). Unavailable says what is missing.
    """
    cache = pathlib.Path(cache_dir or default_cache())
    cache.mkdir(parents=True, exist_ok=True)
    with _alone(cache):
        return _cached(cache) or _build(cache, progress)


def default_cache():
    """~/.cache/onebox, or where XDG_CACHE_HOME says."""
    return pathlib.Path(os.environ.get('XDG_CACHE_HOME') or pathlib.Path.home() / '.cache') / 'onebox'


def recipe() -> str:
    """Changes whenever an image would come out different; only the packages' versions are left out of it."""
    sources = [INIT, *(pathlib.Path(module.__file__) for module in (fat, initramfs, modules))]
    digest = hashlib.sha256(SYSLINUX.encode() + f'{SIZE} {SPARE}'.encode())
    for source in sources:
        digest.update(source.read_bytes())
    return digest.hexdigest()[:12]


def _cached(cache):
    found = sorted(cache.glob(f'guest-*-{recipe()}.img'), key=lambda path: path.stat().st_mtime)
    return found[-1] if found else None


def _build(cache, progress):
    fat.check_tools()
    names, version = packages.kernel_packages()
    with tempfile.TemporaryDirectory(dir=cache) as work:
        work = pathlib.Path(work)
        progress(f'Fetching {" ".join(names)} and busybox-static')
        files = _collect(packages.fetch([*names, 'busybox-static'], work))
        progress('Making the guest image')
        contents = work / 'contents'
        contents.mkdir()
        (contents / 'vmlinuz').write_bytes(_kernel(files))
        (contents / 'initrd').write_bytes(_initrd(files))
        (contents / 'syslinux.cfg').write_text(SYSLINUX)
        fat.make(work / 'image', SIZE, SPARE, contents)
        path = cache / f'guest-{version}-{recipe()}.img'
        os.replace(work / 'image', path)
    return path


def _collect(debs):
    files = {}
    for deb in debs:
        files |= packages.read_files(deb, lambda path: path == 'bin/busybox' or path.startswith('boot/vmlinuz')
                                     or modules.is_module(path))
    return files


def _kernel(files):
    for path, contents in files.items():
        if path.startswith('boot/vmlinuz'):
            return contents
    raise Unavailable('The kernel package has no boot/vmlinuz.')


def _initrd(files):
    archive = initramfs.Archive()
    for folder in ('bin', 'dev', 'modules'):
        archive.folder(folder)
    archive.character_device('dev/console', 5, 1)
    archive.file('bin/busybox', files['bin/busybox'], 0o755)
    archive.file('init', INIT.read_bytes(), 0o755)
    order = modules.in_order(files)
    for name, contents in order:
        archive.file(f'modules/{name}.ko', contents)
    archive.file('modules/order', ''.join(f'{name}.ko\n' for name, _ in order).encode())
    return archive.compressed()


@contextlib.contextmanager
def _alone(cache):
    """One builder at a time; the second finds what the first made."""
    with open(cache / 'lock', 'w') as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
