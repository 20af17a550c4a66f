"""Errors of the guest's builder."""


class Unavailable(Exception):
    """The image cannot be made here; str() says what is missing."""
