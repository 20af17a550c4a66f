"""Where the processes of computesvc find one another."""

DESK = 'desk'
"""Conductors answer agents here."""


def console(host: str) -> str:
    """The agent of `host` answers the API here."""
    return f'console@{host}'
