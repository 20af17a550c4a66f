"""Which of the backends that a volume could go to is the best: pure functions of a Candidate and a Wish (backends.py).

More is better.  A weigher decides between those that are equal to all before it.
"""


def alive(candidate, wish) -> float:
    """One that is down is taken only when none is up: what is asked for is kept until its worker is back."""
    return candidate.up


def free_room(candidate, wish) -> float:
    return candidate.room


WEIGHERS = [alive, free_room]
