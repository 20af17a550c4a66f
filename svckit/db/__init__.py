"""The database layer both services share.

What it is for: engines (oslo.db), transactions that wake workers after their
commit, compare-and-swap, the database's own clock, and migrations.  What it
must not do: know any service's tables.
"""
from svckit.db.base import Json, Timestamps, make_base, new_id, utcnow
from svckit.db.clock import now
from svckit.db.engine import Database
from svckit.db.migration import migrate
from svckit.db.swap import swap

__all__ = ['Database', 'Json', 'Timestamps', 'make_base', 'migrate', 'new_id', 'now', 'swap', 'utcnow']
