"""Operations on volumes: one file each, with its request, its steps and what ends it."""
import functools

from svckit import operations


@functools.cache
def registry() -> dict:
    """All operations of this service, by name and version."""
    return operations.discover(__name__)
