"""What every benchmark here shares: percentiles, memory, a table, and the same figures as JSON in the last line."""
import json
import os
import pathlib
import platform
import sys

import psutil

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))       # the starters of tests/ are used here too


def summary(seconds: list[float]) -> dict:
    """Count, median, 95th percentile and maximum of durations, in milliseconds."""
    ordered = sorted(s * 1000 for s in seconds)

    def percentile(p):
        return round(ordered[max(0, -(-len(ordered) * p // 100) - 1)], 1) if ordered else None
    return {'n': len(ordered), 'p50_ms': percentile(50), 'p95_ms': percentile(95), 'max_ms': percentile(100)}


def memory_mib(*pids: int) -> float:
    """Proportional set size of these processes and all their children, in MiB: shared pages are counted once."""
    processes = {child for pid in pids for child in _tree(pid)}
    return round(sum(process.memory_full_info().pss for process in processes) / 2 ** 20, 1)


def _tree(pid):
    process = psutil.Process(pid)
    return [process, *process.children(recursive=True)]


def machine() -> dict:
    return {'processors': os.cpu_count(), 'python': platform.python_version(), 'system': platform.system(),
            'load': [round(load, 2) for load in os.getloadavg()]}


def table(head: tuple, rows: list[tuple]) -> str:
    """First column to the left, the others to the right."""
    text = [tuple('' if cell is None else str(cell) for cell in row) for row in [head, *rows]]
    width = [max(len(row[i]) for row in text) for i in range(len(head))]
    return '\n'.join('  '.join(cell.rjust(w) if i else cell.ljust(w)
                               for i, (cell, w) in enumerate(zip(row, width, strict=True))).rstrip() for row in text)


def report(head: tuple, rows: list[tuple], result: dict):
    """Print the table and, as the last line, the result."""
    print(table(head, rows))
    print(json.dumps({**result, 'machine': machine()}, separators=(',', ':')), flush=True)
