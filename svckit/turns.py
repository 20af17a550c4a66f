"""Changes to one thing come one after the other; changes to others do not wait."""
import contextlib
import threading
import weakref


class Turns:
    """A lock for each name, kept while somebody wants it."""

    def __init__(self):
        self._locks = weakref.WeakValueDictionary()
        self._lock = threading.Lock()

    @contextlib.contextmanager
    def take(self, *names: str):
        """Hold the locks of these names, always taken in the same order."""
        with self._lock:
            locks = [self._locks.setdefault(name, threading.Lock()) for name in sorted(set(names))]
        with contextlib.ExitStack() as stack:
            for lock in locks:
                stack.enter_context(lock)
            yield
