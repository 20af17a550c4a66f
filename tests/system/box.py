"""A onebox of its own for tests, and the real command line clients that speak to it."""
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import time

import yaml

from tests.system import clients
from tests.system.cloud import Cloud

ROOT = pathlib.Path(__file__).resolve().parents[2]
PORTS = ('identity', 'volume', 'compute', 'image')
READY = 'Servers run under'
PATIENCE = 60       # seconds that anything may take on a machine that is busy with other tests


class CommandFailed(AssertionError):
    """A client ended with an error; `output` is what it said."""

    def __init__(self, words, done):
        self.output = done.stdout + done.stderr
        super().__init__(f'{" ".join(words)} ended with {done.returncode}: {self.output}')


class Box:
    """`onebox` on free ports with its state in `folder`."""

    command = ('-m', 'onebox.app')
    patience = PATIENCE
    pause = 0.05        # seconds between two looks

    def __init__(self, folder: pathlib.Path, *options):
        self.folder = folder
        self.state = folder / 'state'
        self._options = options
        self._said = folder / 'said'
        self.process = None
        self._apis = {}

    def start(self, ready=READY):
        """Starts it and waits until it says that it is ready."""
        self.spawn()
        self.wait(lambda: ready in self.said(), f'onebox says "{ready}"')
        return self

    def spawn(self, *more):
        ports = [f'--{name}-port=0' for name in PORTS]
        with open(self._said, 'wb') as said:
            # As from a terminal: a group of its own that Ctrl-C goes to.
            self.process = subprocess.Popen(
                [sys.executable, *self.command, '--state', str(self.state), *ports, *self._options, *more],
                cwd=ROOT, stdin=subprocess.DEVNULL, stdout=said, stderr=said, start_new_session=True)

    def said(self) -> str:
        return self._said.read_text()

    def stop(self, number=signal.SIGTERM, seconds=PATIENCE) -> int:
        """Its exit status."""
        self.process.send_signal(number)
        return self.process.wait(seconds)

    def kill(self):
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def wait(self, condition, what, seconds=None):
        """Until `condition()` is true, for at most `seconds` or else its patience; its value."""
        until = time.monotonic() + (seconds or self.patience)
        while not (found := condition()):
            assert self.process.poll() is None, f'onebox ended: {self.said()}'
            assert time.monotonic() < until, f'Never saw that {what}. onebox said: {self.said()}'
            time.sleep(self.pause)
        return found

    # -- clients

    def openstack(self, *words, cloud='onebox', microversion=None, form='json'):
        """The real `openstack`; what it printed, parsed (None if it printed nothing)."""
        options = ['--os-volume-api-version', microversion] if microversion else []
        words = ['openstack', *options, *words, *(['-f', form] if form else [])]
        output = run(words, self.environment(cloud, by_file=True))
        return json.loads(output) if form == 'json' and output.strip() else output

    def act(self, *words, **how):
        """`openstack` commands that know no output formats; the text."""
        return self.openstack(*words, form=None, **how)

    def cinder(self, *words, cloud='onebox', version='3.71') -> str:
        """The real `cinder`; its text."""
        return run(['cinder', '--os-volume-api-version', version, *words], self.environment(cloud))

    def nova(self, *words, cloud='onebox', version='2.96') -> str:
        """The real `nova`; its text."""
        return run(['nova', '--os-compute-api-version', version, *words], self.environment(cloud))

    def environment(self, cloud, by_file=False) -> dict:
        clean = {key: value for key, value in os.environ.items() if not key.startswith(('OS_', 'NOVA', 'CINDER'))}
        if by_file:
            return {**clean, 'OS_CLIENT_CONFIG_FILE': str(self.state / 'clouds.yaml'), 'OS_CLOUD': cloud}
        return {**clean, **{f'OS_{key.upper()}': value for key, value in self.auth(cloud).items()},
                'OS_REGION_NAME': 'RegionOne', 'OS_IDENTITY_API_VERSION': '3'}

    def auth(self, cloud='onebox') -> dict:
        return yaml.safe_load((self.state / 'clouds.yaml').read_text())['clouds'][cloud]['auth']

    # -- waiting for what users wait for, by HTTP: a client takes a second for each look

    def volume_is(self, name, status, cloud='onebox') -> dict:
        """Waits for the status of the volume with this name or id; the volume as the API shows it."""
        volumes = self.api(cloud).volume

        def found():
            volume = next((volume for volume in volumes('GET', '/volumes/detail')['volumes']
                           if name in (volume['id'], volume['name'])), None)
            assert volume and (status.startswith('error') or not volume['status'].startswith('error')), volume
            return volume if volume['status'] == status else None
        return self.wait(found, f'volume {name} is {status}')

    def server_is(self, name, status, cloud='onebox') -> dict:
        """As volume_is()."""
        servers = self.api(cloud).compute

        def found():
            server = next((server for server in servers('GET', '/servers/detail')['servers']
                           if name in (server['id'], server['name'])), None)
            assert server and server['status'] != 'ERROR', server
            return server if server['status'] == status else None
        return self.wait(found, f'server {name} is {status}')

    def api(self, cloud) -> Cloud:
        if (self.process.pid, cloud) not in self._apis:
            self._apis[self.process.pid, cloud] = Cloud(self.state / 'clouds.yaml', cloud)
        return self._apis[self.process.pid, cloud]


def with_tiny_image(folder: pathlib.Path, *options) -> Box:
    """A started one with remembered servers, volumes in files, and an image 'tiny' of 1 MiB."""
    images = folder / 'state' / 'images'
    images.mkdir(parents=True)
    (images / 'tiny.raw').write_bytes(os.urandom(1 << 20))
    box = Box(folder, '--hypervisor', 'memory', '--backend', 'file', *options).start()
    box.api('onebox').image_id('tiny')
    return box


def run(words, environment, seconds=PATIENCE) -> str:
    done = clients.run(words, environment, seconds)
    if done.returncode:
        raise CommandFailed(words, done)
    return done.stdout


def rows(table: str) -> list[dict]:
    """The rows of a table drawn with | and +, as `cinder` and `nova` print them."""
    lines = [[cell.strip() for cell in line.strip().strip('|').split(' | ')]
             for line in table.splitlines() if line.startswith('|')]
    heads, *body = [[re.sub(r'^\| *', '', cell) for cell in line] for line in lines]
    return [dict(zip(heads, line, strict=False)) for line in body]


def properties(table: str) -> dict:
    """Of a table with the columns Property and Value."""
    return {row['Property']: row.get('Value', '') for row in rows(table)}
