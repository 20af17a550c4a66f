"""A volume type's share of a quota is kept under its id, not under its name, which can change."""
import sqlalchemy as sa
from alembic import op

from svckit.db.base import Json

revision = '007'
down_revision = '006'

PER_TYPE = ('volumes', 'gigabytes', 'snapshots')
TYPES = sa.table('volume_types', sa.column('id', sa.String), sa.column('name', sa.String))
OPERATIONS = sa.table('operations', sa.column('id', sa.String), sa.column('name', sa.String),
                      sa.column('subject', sa.String), sa.column('params', Json))


def upgrade():
    _rename({f'{resource}_{name}': f'{resource}_{id}' for id, name in _types() for resource in PER_TYPE})


def downgrade():
    _rename({f'{resource}_{id}': f'{resource}_{name}' for id, name in _types() for resource in PER_TYPE})


def _types():
    return op.get_bind().execute(sa.select(TYPES.c.id, TYPES.c.name)).all()


def _rename(names):
    """Limits, usage, and what extends hold that are under way."""
    connection = op.get_bind()
    for table in 'quota_limits', 'quota_usages':
        table = sa.table(table, sa.column('resource', sa.String))
        for old, new in names.items():
            connection.execute(table.update().where(table.c.resource == old).values(resource=new))
    for id, params in connection.execute(sa.select(OPERATIONS.c.id, OPERATIONS.c.params).where(
            OPERATIONS.c.name == 'extend-volume', OPERATIONS.c.subject.is_not(None))).all():
        held = {names.get(name, name): amount for name, amount in params['quota'].items()}
        connection.execute(OPERATIONS.update().where(OPERATIONS.c.id == id).values(params={**params, 'quota': held}))
