"""Shows how a server changes: its status, what is done with it, and what the libvirt of each host says of it."""
import threading
import time

PAUSE = 0.05        # seconds between two looks
POWER = {'shutdown': 'off', 'absent': '-'}


class Watch:
    """A context manager; while it is on, each change is a line on the screen, with the seconds since the first."""

    def __init__(self, screen, cloud, server):
        self._screen, self._cloud, self._server = screen, cloud, server
        self._hosts = list(cloud.hosts)
        self._ended = threading.Event()
        self._first = None
        self._error = None
        self._thread = threading.Thread(target=self._look_again, daemon=True)

    def __enter__(self):
        self._line('', 'status', 'task state', dict(zip(self._hosts, self._hosts, strict=True)), 'dim')
        self._now = self._look()
        self._line('', *self._now)
        self._thread.start()
        return self

    def __exit__(self, *error):
        self._ended.set()
        self._thread.join()

    @property
    def hosts(self) -> int:
        """How many hosts know the server, running or not."""
        return sum(power != 'absent' for power in self._now[2].values())

    def is_at_rest(self, status) -> bool:
        """The server has that status, and nothing is done with it. What went wrong with looking is raised here."""
        if self._error:
            raise self._error
        return self._now[:2] == (status, '')

    def _look(self):
        return (*self._cloud.server_now(self._server), self._cloud.power(self._server))

    def _look_again(self):
        try:
            while not self._ended.wait(PAUSE):
                if (now := self._look()) != self._now:
                    moment = time.monotonic()
                    self._first = self._first or moment
                    self._line(f'{moment - self._first:.2f} s', *now)
                    self._now = now
        except Exception as error:
            self._error = error

    def _line(self, moment, status, task, power, *colours):
        cells = [f'{POWER.get(word, word):{max(len(host), 7)}}' for host, word in power.items()]
        text = f'  {moment:>9}  {status:13}  {task:16}  {"  ".join(cells)}'
        self._screen.above(self._screen.paint(text.rstrip(), *colours))
