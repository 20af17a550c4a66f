"""The process: green or native threads, signals, and work that must not block.

This is the one module that knows which kind of concurrency runs (the web server
apart, which has one implementation for each).  Everything else uses plain
`threading`, `queue` and `time.sleep`, which are green once `start('eventlet')`
has patched them, and sends blocking C calls through `native()`.
"""
import atexit
import contextlib
import gc
import logging
import os
import signal
import socket
import sys
import threading
import warnings

LOG = logging.getLogger(__name__)
KINDS = ('eventlet', 'threads')
GARBAGE = gc.get_threshold()[0]
PATIENCE = 2.0          # seconds that native calls may take to end when the process does
_under_way = set()      # a token for each native call
_asked = []             # the signals that asked this process to end
_concurrency = 'threads'


def start(concurrency: str | None = None):
    """Afterwards the process runs on green threads ('eventlet') or native ones ('threads').

    To be called first in a command's main(), before anything else of ours is
    imported.  Without an argument, `--concurrency` on the command line decides,
    eventlet otherwise.  A second call changes nothing.
    """
    global _concurrency
    # Imports leave next to no garbage, and looking for it takes a sixth of the start.
    gc.set_threshold(100_000)
    concurrency = concurrency or _wanted(sys.argv[1:])
    if concurrency not in KINDS:
        sys.exit(f'--concurrency must be one of {", ".join(KINDS)}, not {concurrency!r}')
    # eventlet and the libraries that notice it (oslo.messaging imports it in any case)
    # each announce that it will go away one day: no news to whoever runs this command.
    warnings.filterwarnings('ignore', message='(?s).*eventlet')
    if concurrency == 'eventlet' and _concurrency != 'eventlet':
        _patch()
        _concurrency = 'eventlet'


def concurrency() -> str:
    """'eventlet' or 'threads'."""
    return _concurrency


def native(fn, *args, **kwargs):
    """What `fn` returns or raises; meanwhile no other thread of this process stands still.

    Under eventlet it runs in a native thread, so it must not use locks or queues
    that greenlets wait on.
    """
    if _concurrency == 'threads':
        return fn(*args, **kwargs)
    from eventlet import tpool
    return tpool.execute(_counted, fn, args, kwargs)


def _counted(fn, args, kwargs):
    call = object()
    _under_way.add(call)
    try:
        return fn(*args, **kwargs)
    finally:
        _under_way.discard(call)


def spawn(fn, *args, name: str | None = None) -> threading.Thread:
    """A started daemon thread that runs fn(*args); an error that escapes it is logged."""
    thread = threading.Thread(target=_logged, args=(fn, *args), name=name or fn.__name__, daemon=True)
    thread.start()
    return thread


def interrupt_start():
    """From here on SIGTERM and SIGINT end what the main thread does by a KeyboardInterrupt.

    A signal runs in whichever green thread it finds running; where that is another one,
    which would swallow it, until_signal() ends at once instead.  A second signal ends the process.
    """
    main = _current()

    def heard(number, frame):
        if _asked:
            os._exit(128 + number)
        _asked.append(number)
        if _current() in (main, _hub()):            # what is raised in the hub comes out in main
            raise KeyboardInterrupt
    _on_signals(heard)


def _on_signals(heard):
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, heard)


def _current():
    if _concurrency == 'threads':
        return None
    import greenlet
    return greenlet.getcurrent()


def _hub():
    if _concurrency == 'threads':
        return None
    from eventlet import hubs
    return hubs.get_hub().greenlet


def until_signal(stop, impatient=True):
    """Blocks the main thread until SIGTERM or SIGINT, then calls stop() once.

    A second signal while stop() still drains ends the process at once, unless it is
    not `impatient`: a child hears the terminal's or systemd's signal and its parent's.
    """
    gc.freeze()             # what is there by now stays: never again does everything wait while all of it is looked at
    gc.set_threshold(GARBAGE)
    reader, writer = socket.socketpair()
    writer.setblocking(False)
    received = _asked

    def heard(number, frame):
        if received and impatient:
            os._exit(128 + number)
        received.append(number)

    _on_signals(heard)
    # A byte on a socket wakes a green and a native main thread alike, without polling.
    signal.set_wakeup_fd(writer.fileno(), warn_on_full_buffer=False)
    while not received:
        reader.recv(1)
    LOG.info('Stopping on %s.', signal.Signals(received[0]).name)
    if impatient:
        _drain(reader)
        spawn(_end_at_next, reader, name='second signal')
    stop()


def _drain(reader):
    reader.setblocking(False)
    with contextlib.suppress(BlockingIOError):
        while reader.recv(64):
            pass
    reader.setblocking(True)


def _end_at_next(reader):
    """Python handles a signal that comes right before a blocking call of the main thread only after that call."""
    while (number := reader.recv(1)[0]) not in (signal.SIGTERM, signal.SIGINT):
        pass
    os._exit(128 + number)


def after_fork():
    """To be called first in a forked child: the parent's event loop and log must not be shared."""
    # oslo.log's lock is a pipe under eventlet, one for parent and children: who is killed while
    # holding it would silence all others, at their next line of log and for ever.
    for handler in logging.getLogger().handlers:
        handler.createLock()
    if _concurrency == 'eventlet':
        from eventlet import hubs
        hubs.use_hub()


def _wanted(arguments) -> str:
    for place, argument in enumerate(arguments):
        name, _, value = argument.partition('=')
        if name == '--concurrency':
            return value or (arguments[place + 1] if place + 1 < len(arguments) else '')
    return 'eventlet'


def _patch():
    # Its resolver in Python costs 15 MB and knows less of this machine's set-up than libc's.
    os.environ.setdefault('EVENTLET_NO_GREENDNS', 'yes')
    import eventlet
    eventlet.monkey_patch()
    _patch_names()
    _patch_time_outs()
    _let_hanging_calls_go()
    _patch_psycopg2()


def _let_hanging_calls_go():
    """At exit eventlet waits for all native threads, so one call that hangs would keep the process for ever.

    Instead those under way get a moment: a thread that comes back to an interpreter which is
    ending is ended by it, and with Rust on its stack (bcrypt's, say) that aborts the process
    ("FATAL: exception not rethrown").
    """
    from eventlet import patcher, tpool
    sleep = patcher.original('time').sleep
    atexit.unregister(tpool.killall)

    def wait():
        for _ in range(int(PATIENCE / 0.01)):
            if not _under_way:
                break
            sleep(0.01)
        sleep(0.01)         # from the end of its call to its queue, where it rests
    atexit.register(wait)


def _patch_names():
    """Names that have to be looked up are, in a native thread."""
    from eventlet.green import socket as green
    lookup = socket.getaddrinfo

    def getaddrinfo(host, *args, **kwargs):
        if host is None or _numeric(host):
            return lookup(host, *args, **kwargs)
        return native(lookup, host, *args, **kwargs)

    socket.getaddrinfo = green.getaddrinfo = getaddrinfo


def _patch_time_outs():
    """What subprocess.run() raises is subprocess.TimeoutExpired: eventlet's copy of the module has its own class."""
    import subprocess

    from eventlet import patcher
    patcher.original('subprocess').TimeoutExpired = subprocess.TimeoutExpired


def _numeric(host) -> bool:
    for family in (socket.AF_INET, socket.AF_INET6):
        try:
            return bool(socket.inet_pton(family, host))
        except (OSError, TypeError, ValueError):
            pass
    return False


def _patch_psycopg2():
    """libpq waits in C unless it is given something else to wait with."""
    try:
        from psycopg2 import extensions
    except ImportError:
        return
    from eventlet.hubs import trampoline

    def wait(connection):
        while (state := connection.poll()) != extensions.POLL_OK:
            trampoline(connection.fileno(), read=state == extensions.POLL_READ,
                       write=state == extensions.POLL_WRITE)
    extensions.set_wait_callback(wait)


def _logged(fn, *args):
    try:
        fn(*args)
    except Exception:
        LOG.exception('Thread %s ended by an error.', threading.current_thread().name)
