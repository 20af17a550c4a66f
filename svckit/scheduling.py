"""Choosing among candidates by filters and weighers, and what an extra spec asks of a capability.

All of it is pure.  A filter is `(candidate, wish) -> why not, or None`, a weigher
`(candidate, wish) -> number`, more being better; a candidate has a `host`.
"""
import collections
import logging
import operator

LOG = logging.getLogger(__name__)
CLAIMED_MEANWHILE = 'room taken meanwhile'


def sift(filters, weighers, found: list, wish) -> tuple[list, collections.Counter]:
    """(those that no filter refuses, the best first; filter's name -> how many it refused).

    A weigher decides between those that are equal to all before it.
    """
    fitting, refused = [], collections.Counter()
    for candidate in found:
        if why := first_refusal(filters, candidate, wish):
            refused[why] += 1
        else:
            fitting.append(candidate)
    return sorted(fitting, key=lambda c: ([-weigh(c, wish) for weigh in weighers], c.host)), refused


def first_refusal(filters, candidate, wish) -> str | None:
    """The name of the first filter that refuses a candidate."""
    for refuses in filters:
        if why := refuses(candidate, wish):
            LOG.debug('%s is refused by %s: %s.', candidate.host, refuses.__name__, why)
            return refuses.__name__
    return None


def why_none(noun: str, looked_at: int, refused: collections.Counter) -> str:
    """What to tell the user when none was chosen: no names of candidates, no figures of theirs."""
    if not looked_at:
        return f'No valid {noun} was found. No {noun} has ever reported.'
    reasons = ', '.join(f'{name} ({count})' for name, count in refused.items())
    return (f'No valid {noun} was found. Of {looked_at} {noun}{"s" * (looked_at > 1)}, these filters refused: '
            f'{reasons}.')


# ------------------------------------------------------------------ filters that are the same whatever is looked for

def enabled(candidate, wish) -> str | None:
    return 'it is disabled' if candidate.disabled else None


def other_host(candidate, wish) -> str | None:
    return 'it is not to be this one' if candidate.host in wish.exclude else None


def zone(candidate, wish) -> str | None:
    return None if wish.zone in (None, candidate.zone) else f'it is in zone {candidate.zone}'


# ------------------------------------------------------------------ extra specs

# The words that Nova and Cinder compare with; "=" means "at least" there, as in their documentation of extra specs.
_NUMBERS = {'=': operator.ge, '==': operator.eq, '!=': operator.ne, '>=': operator.ge, '<=': operator.le}
_TEXTS = {'s==': operator.eq, 's!=': operator.ne, 's<': operator.lt, 's<=': operator.le, 's>': operator.gt,
          's>=': operator.ge}


def satisfies(value, wanted: str) -> bool:
    """Whether a capability is what an extra spec wants: a word, or an operator and what it compares with."""
    if value is None:
        return False
    first, _, rest = wanted.strip().partition(' ')
    rest = rest.strip()
    match first:
        case '<in>':
            return rest in value if isinstance(value, list) else rest in str(value)
        case '<or>':
            return str(value) in [word.strip() for word in rest.split('<or>')]
        case '<is>':
            return bool(value) is (rest.lower() in ('true', '1', 'yes'))
    if first in _TEXTS:
        return _TEXTS[first](str(value), rest)
    if first in _NUMBERS:
        return _compares(_NUMBERS[first], value, rest)
    return str(value).lower() == wanted.strip().lower()


def _compares(compare, value, number) -> bool:
    try:
        return compare(float(value), float(number))
    except (TypeError, ValueError):
        return False
