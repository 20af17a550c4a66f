"""Runs one of our commands so that it halts in the middle of a chosen function, for a test to kill it there.

    python halting.py MODULE:NAME before|after FOLDER COMMAND_MODULE [ARGUMENTS]

The first call of MODULE's function NAME (`Class.method` too) that finds the file FOLDER/armed
takes it away, writes FOLDER/reached and never returns. `before`: nothing of the function's work
is done by then; `after`: all of it is, and the caller never learns. A call that does not find
the file is undisturbed. Which process is killed when is thus decided by files, not by a clock,
and the production code has no place that knows of it.
"""
import functools
import importlib
import pathlib
import sys
import time

from svckit import process


def halting(function, when, folder):
    """`function`, with the halt that the module describes."""
    armed, reached = folder / 'armed', folder / 'reached'

    @functools.wraps(function)
    def wrapper(*args, **kwargs):
        try:
            armed.unlink()
        except FileNotFoundError:
            return function(*args, **kwargs)
        if when == 'after':
            function(*args, **kwargs)
        reached.touch()
        while True:
            time.sleep(60)
    return wrapper


def install(place, when, folder):
    """Put the halt at `place`, 'module:name' or 'module:Class.method'."""
    module, _, name = place.partition(':')
    *owners, last = name.split('.')
    owner = functools.reduce(getattr, owners, importlib.import_module(module))
    setattr(owner, last, halting(getattr(owner, last), when, folder))


def main():
    place, when, folder, command, *arguments = sys.argv[1:]
    if when not in ('before', 'after'):
        sys.exit(f'"before" or "after", not {when!r}')
    sys.argv = [command, *arguments]
    process.start()                # as the command does first of all; it decides what the imports below get
    install(place, when, pathlib.Path(folder))
    sys.exit(importlib.import_module(command).main())


if __name__ == '__main__':
    main()
