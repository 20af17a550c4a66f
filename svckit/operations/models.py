"""The two tables of the engine, made once for each service's metadata."""
from sqlalchemy import Boolean, Column, Double, Index, Integer, MetaData, String, Table

from svckit.db.base import NAMES, Json, LongText, Serial

_METADATA = MetaData(naming_convention=NAMES)

OPERATIONS = Table(
    'operations', _METADATA,
    Column('id', String(36), primary_key=True),
    Column('subject', String(255), unique=True),     # NULL once it has ended: the lock
    Column('name', String(64), nullable=False),
    Column('version', Integer, nullable=False),
    Column('params', Json, nullable=False),
    Column('notes', Json, nullable=False),
    Column('state', String(16), nullable=False),
    Column('position', Integer, nullable=False),
    Column('attempts', Integer, nullable=False),
    Column('target', String(255)),                   # NULL unless somebody has to run it
    Column('due_at', Double),
    Column('lease', Integer, nullable=False),
    Column('lease_until', Double),                   # NULL when nobody holds it
    Column('error', LongText),
    Column('refused', Boolean(create_constraint=False), nullable=False),
    Column('resume', String(16)),
    Column('parent_id', String(36)),
    Column('project_id', String(255)),
    Column('user_id', String(255)),
    Column('resource', String(255)),
    Column('request_id', String(64)),
    Column('created_at', Double, nullable=False),
    Column('ended_at', Double),
    Index('ix_operations_target_due', 'target', 'due_at'),
    Index('ix_operations_resource', 'resource'),
    Index('ix_operations_parent', 'parent_id'),
    Index('ix_operations_ended', 'ended_at'),
    Index('ix_operations_state', 'state', 'name'),
)

EVENTS = Table(
    'operation_events', _METADATA,
    Column('id', Serial, primary_key=True, autoincrement=True),
    Column('operation_id', String(36), nullable=False),
    Column('step', String(64)),
    Column('event', String(32), nullable=False),
    Column('detail', LongText),
    Column('at', Double, nullable=False),
    Index('ix_operation_events_operation', 'operation_id'),
)


def tables(base) -> tuple[Table, Table]:
    """Put the engine's tables into a service's metadata, for its migrations."""
    return OPERATIONS.to_metadata(base.metadata), EVENTS.to_metadata(base.metadata)
