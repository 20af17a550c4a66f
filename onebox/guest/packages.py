"""Debian packages as a source of files: fetched and read, never installed."""

import re
import subprocess
import tarfile

from onebox.guest.errors import Unavailable

FETCH_SECONDS = 300


def kernel_packages():
    """The names of the packages that hold the newest kernel and its modules, and the kernel's version.

    Debian's linux-image-amd64 and Ubuntu's linux-image-virtual are empty and depend on the real ones.
    """
    for name in ('linux-image-amd64', 'linux-image-virtual'):
        depends = re.findall(r'Depends: (linux-(?:image|modules)-\d\S*)', _run('apt-cache', 'depends', name))
        if depends:
            version = depends[0].removeprefix('linux-image-')
            modules = f'linux-modules-{version}'
            more = [modules] if name == 'linux-image-virtual' else []
            return [depends[0], *more], version
    raise Unavailable('apt knows no kernel package (linux-image-amd64); run "apt-get update" first.')


def fetch(names, folder):
    """The packages' files, downloaded into the folder."""
    try:
        _run('apt-get', 'download', '-q', *names, folder=folder)
    except Unavailable as error:
        raise Unavailable(f'{error} (A mirror drops old versions: "apt-get update" may help.)') from None
    return sorted(folder.glob('*.deb'))


def read_files(package, wanted):
    """{path: bytes} of the files in a package whose path ('lib/modules/…', no leading slash) `wanted` says yes to."""
    found = {}
    command = ['dpkg-deb', '--fsys-tarfile', str(package)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        with tarfile.open(fileobj=process.stdout, mode='r|') as archive:
            for member in archive:
                path = member.name.removeprefix('./').removeprefix('usr/')
                if member.isfile() and wanted(path):
                    found[path] = archive.extractfile(member).read()
        process.stdout.read()
    if process.returncode:
        raise Unavailable(f'{package.name} is damaged: dpkg-deb ended with {process.returncode}.')
    return found


def _run(*command, folder=None):
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=FETCH_SECONDS)
    except FileNotFoundError:
        raise Unavailable(f'{command[0]} is not installed; the guest is made from Debian packages.') from None
    except subprocess.TimeoutExpired:
        raise Unavailable(f'{" ".join(command)} took more than {FETCH_SECONDS} s.') from None
    if done.returncode:
        raise Unavailable(f'{" ".join(command)} failed: {done.stderr.strip()[-500:]}')
    return done.stdout
