"""The database's clock, as an SQL expression.

Leases and due times are compared on one clock only, so that hosts whose own
clocks disagree never take each other's work.
"""
from sqlalchemy import Double
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import GenericFunction


class _Now(GenericFunction):
    type = Double()
    name = 'svckit_now'
    identifier = 'svckit_now'
    inherit_cache = True


@compiles(_Now, 'sqlite')
def _sqlite(element, compiler, **kw):
    # julianday() resolves about 0.05 ms; 2440587.5 is the epoch as a Julian day.
    return "((julianday('now') - 2440587.5) * 86400.0)"


@compiles(_Now, 'postgresql')
def _postgresql(element, compiler, **kw):
    # clock_timestamp(), not now(): the latter stands still within a transaction.
    return 'CAST(extract(epoch FROM clock_timestamp()) AS double precision)'


@compiles(_Now, 'mysql')
@compiles(_Now, 'mariadb')
def _mysql(element, compiler, **kw):
    return '(0e0 + unix_timestamp(sysdate(6)))'


_NOW = _Now()


def now() -> _Now:
    """Seconds since 1970-01-01 UTC as a double, at the moment the statement runs."""
    return _NOW
