"""Runs one of our commands so that a test says how far each step of its operations gets.

    python stepping.py FOLDER COMMAND_MODULE [ARGUMENTS]

For a step `spawn` of an operation `resize-server` (its undo: `resize-server.spawn.undo`)

- a file FOLDER/resize-server.spawn.halt has its work done and then wait, before anybody is told, until the test takes
  away FOLDER/resize-server.spawn.reached: the time to kill somebody;
- a file FOLDER/resize-server.spawn.refuse has it refused before it began.

Each such file counts once, for whichever process comes to the step first. So what happens is decided by files and not
by a clock, and the production code has no place that knows of it. `Steps` is the test's end.
"""
import importlib
import pathlib
import sys
import time

from svckit import process

LOOK = 0.02     # seconds between two looks whether to go on


class Steps:
    """Of all processes that share `folder`."""

    def __init__(self, folder: pathlib.Path):
        self.folder = folder
        folder.mkdir()

    def halt(self, *steps):
        """The next run of each of these steps halts at its end."""
        for step in steps:
            (self.folder / f'{step}.halt').touch()

    def refuse(self, step):
        """The next run of the step is refused."""
        (self.folder / f'{step}.refuse').touch()

    def reached(self) -> dict[str, str]:
        """{step that waits now: the target where it runs}."""
        return {path.stem: path.read_text() for path in self.folder.glob('*.reached')}

    def go_on(self, step):
        (self.folder / f'{step}.reached').unlink()

    def clear(self) -> set[str]:
        """Nothing halts any more; the steps that nobody came to."""
        left = {path.stem for path in self.folder.glob('*.halt')}
        for path in self.folder.iterdir():
            path.unlink(missing_ok=True)
        return left


def install(folder: pathlib.Path):
    """Every step of this process looks into the folder."""
    from svckit.operations import Refused
    from svckit.operations.definition import UNDOING
    from svckit.operations.runner import Runner
    call = Runner.call

    def stepping(self, step, op, ctx):
        name = f'{op.name}.{step.name}' + ('.undo' if op.state == UNDOING else '')
        if _take(folder / f'{name}.refuse'):
            raise Refused('The test wants it so.')
        notes = call(self, step, op, ctx)
        if _take(folder / f'{name}.halt'):
            _wait(folder / f'{name}.reached', op.target)
        return notes
    Runner.call = stepping


def _take(path) -> bool:
    try:
        path.unlink()
    except FileNotFoundError:
        return False
    return True


def _wait(reached, target):
    beside = reached.with_suffix('.writing')
    beside.write_text(target)
    beside.rename(reached)
    while reached.exists():
        time.sleep(LOOK)


def main():
    folder, command, *arguments = sys.argv[1:]
    sys.argv = [command, *arguments]
    process.start()                # as the command does first of all; it decides what the imports below get
    install(pathlib.Path(folder))
    sys.exit(importlib.import_module(command).main())


if __name__ == '__main__':
    main()
