"""How much of each pool is promised."""
import sqlalchemy as sa
from alembic import op

from svckit.db.base import Json, Moment

revision = '004'
down_revision = '003'
MARIADB = {'mysql_engine': 'InnoDB', 'mysql_charset': 'utf8mb4', 'mysql_collate': 'utf8mb4_bin'}

VOLUMES = sa.table('volumes', sa.column('host', sa.String), sa.column('size', sa.BigInteger),
                   sa.column('status', sa.String), sa.column('launched_at', Moment))
OPERATIONS = sa.table('operations', sa.column('name', sa.String), sa.column('subject', sa.String),
                      sa.column('params', Json), sa.column('position', sa.Integer))


def upgrade():
    pools = op.create_table('pools',
                            sa.Column('name', sa.String(255), nullable=False),
                            sa.Column('promised', sa.BigInteger(), nullable=False),
                            sa.PrimaryKeyConstraint('name', name='pk_pools'),
                            **MARIADB)
    # A volume that could not be made is nowhere.
    op.execute(VOLUMES.update().where(VOLUMES.c.status == 'error', VOLUMES.c.launched_at.is_(None)).values(host=None))
    if promised := _promised():
        op.bulk_insert(pools, [{'name': name, 'promised': amount} for name, amount in promised.items()])


def _promised() -> dict:
    """The sizes of the volumes there are, and the growths that are under way."""
    connection = op.get_bind()
    found = {name: int(size) for name, size in connection.execute(
        sa.select(VOLUMES.c.host, sa.func.sum(VOLUMES.c.size)).where(VOLUMES.c.host.is_not(None))
        .group_by(VOLUMES.c.host))}
    growing = connection.execute(sa.select(OPERATIONS.c.params).where(
        OPERATIONS.c.name == 'extend-volume', OPERATIONS.c.subject.is_not(None), OPERATIONS.c.position < 2))
    for params, in growing:
        found[params['host']] = found.get(params['host'], 0) + params['size'] - params['old_size']
    return found


def downgrade():
    op.drop_table('pools')
