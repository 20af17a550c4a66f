"""What the demo puts on a terminal: headings, progress, tables, bars.

On something that is not a terminal, or with NO_COLOR set, the same as plain lines.
"""
import os
import shutil
import sys
import threading
import time

SPINNER = '⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏'
COLOURS = {'bold': '1', 'dim': '2', 'red': '31', 'green': '32', 'yellow': '33', 'cyan': '36'}
PLAIN_INTERVAL = 5.0    # seconds between two lines of progress where no line can be rewritten
EIGHTHS = ' ▏▎▍▌▋▊▉█'


class Screen:
    """Writes to `stream`; `clock` is in seconds."""

    def __init__(self, stream=None, environ=os.environ, clock=time.monotonic, columns=None):
        self._stream = stream or sys.stdout
        self._live = self._stream.isatty() and environ.get('TERM') != 'dumb'
        self._colour = self._live and not environ.get('NO_COLOR')
        self._clock = clock
        self.columns = columns or min(shutil.get_terminal_size((100, 24)).columns, 120)

    def paint(self, text: str, *colours: str) -> str:
        if not self._colour or not text:
            return text
        return f'\033[{";".join(COLOURS[colour] for colour in colours)}m{text}\033[0m'

    def line(self, text=''):
        self._write(text + '\n')

    def heading(self, text: str):
        self.line()
        self.line(self.paint(text, 'bold', 'cyan'))

    def command(self, words: list[str]):
        self.line(self.paint('$ ', 'dim') + self.paint(' '.join(_quoted(word) for word in words), 'bold'))

    def output(self, text: str, cut=True):
        """What a program said; long lines are cut at the edge unless told otherwise."""
        for line in text.rstrip().splitlines():
            self.line(self.paint(f'  {line[:self.columns - 2] if cut else line}', 'dim'))

    def good(self, text: str):
        self.line(f'{self.paint("✓", "green")} {text}')

    def bad(self, text: str):
        self.line(f'{self.paint("✗", "red")} {self.paint(text, "red", "bold")}')

    def busy(self, text: str) -> 'Busy':
        """A context manager: says that this is going on, and for how long."""
        return Busy(self, text)

    def table(self, heads: list[str], rows: list[list[str]]):
        widths = [max(len(row[column]) for row in [heads, *rows]) for column in range(len(heads))]
        rule = '─' * (sum(widths) + 3 * (len(widths) - 1))
        self.line('  ' + self.paint(_columns(heads, widths), 'bold'))
        self.line('  ' + self.paint(rule, 'dim'))
        for row in rows:
            self.line('  ' + _columns(row, widths))

    def bars(self, rows: list[tuple[str, float, float]]):
        """(label, seconds at which it began, seconds it took), drawn on one time axis."""
        if not rows:
            return
        end = max(begin + took for _, begin, took in rows) or 1e-9
        label_width = max(len(label) for label, _, _ in rows)
        space = max(self.columns - label_width - 16, 10)
        for label, begin, took in rows:
            bar = _bar(begin / end, took / end, space)
            self.line(f'  {label:{label_width}} {self.paint("▕", "dim")}{self.paint(bar, "cyan")}'
                      f'{self.paint("▏", "dim")}{duration(took):>9}')

    def above(self, text: str):
        """A line above the progress that is being shown, from any thread."""
        self._write(('\r\033[K' if self._live else '') + text + '\n')

    def rewrite(self, text: str, *colours: str):
        """Replaces the line the cursor is in by as much of the text as fits; nothing where that is impossible."""
        if self._live:
            self._write(f'\r\033[K{self.paint(text[:self.columns - 1], *colours)}')

    @property
    def live(self) -> bool:
        return self._live

    def now(self) -> float:
        return self._clock()

    def _write(self, text):
        self._stream.write(text)
        self._stream.flush()


class Busy:
    """Progress while something takes long, shown by a thread of its own.

    `note` may be changed meanwhile: it is shown behind the text.
    """

    def __init__(self, screen, text):
        self._screen, self._text = screen, text
        self.note = ''
        self._ended = threading.Event()

    def __enter__(self):
        self._began = self._screen.now()
        self._thread = threading.Thread(target=self._show, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *error):
        self._ended.set()
        self._thread.join()
        self._screen.rewrite('')

    @property
    def seconds(self) -> float:
        return self._screen.now() - self._began

    def _show(self):
        turn = 0
        while not self._ended.wait(0.1 if self._screen.live else PLAIN_INTERVAL):
            words = ' '.join(filter(None, [self._text, self.note]))
            if self._screen.live:
                self._screen.rewrite(f'{SPINNER[turn % len(SPINNER)]} {words} {self.seconds:.0f} s', 'yellow')
            else:
                self._screen.line(f'… {words} {self.seconds:.0f} s')
            turn += 1


def duration(seconds: float) -> str:
    return f'{seconds * 1000:.1f} ms' if seconds < 1 else f'{seconds:.2f} s'


def _columns(cells, widths) -> str:
    return '   '.join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True))


def _bar(begin: float, length: float, width: int) -> str:
    """A bar in `width` characters, `begin` and `length` as parts of one; never invisible."""
    start = min(int(begin * width), width - 1)
    eighths = max(round(length * width * 8), 1)
    full, rest = divmod(eighths, 8)
    bar = '█' * full + EIGHTHS[rest].strip()
    return (' ' * start + bar)[:width].ljust(width)


def _quoted(word: str) -> str:
    return f"'{word}'" if ' ' in word else word
