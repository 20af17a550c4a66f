"""Which of the hosts that a server could go to is the best: pure functions of a Candidate and a Wish (hosts.py).

More is better.  A weigher decides between those that are equal to all before it.
"""


def free_memory(candidate, wish) -> float:
    return candidate.memory_mb


def few_servers(candidate, wish) -> float:
    return -candidate.servers


WEIGHERS = [free_memory, few_servers]
