"""Snapshots hold room of their pool, too."""
import sqlalchemy as sa
from alembic import op

revision = '008'
down_revision = '007'

VOLUMES = sa.table('volumes', sa.column('id', sa.String), sa.column('host', sa.String))
SNAPSHOTS = sa.table('snapshots', sa.column('volume_id', sa.String), sa.column('size', sa.BigInteger),
                     sa.column('promised', sa.BigInteger), sa.column('status', sa.String),
                     sa.column('progress', sa.Integer))
POOLS = sa.table('pools', sa.column('name', sa.String), sa.column('promised', sa.BigInteger))


def upgrade():
    op.add_column('snapshots', sa.Column('promised', sa.BigInteger(), nullable=False, server_default='0'))
    # Nothing is there of one that could not be made.
    op.execute(SNAPSHOTS.update().where(
        sa.or_(SNAPSHOTS.c.status != 'error', SNAPSHOTS.c.progress == 100)).values(promised=SNAPSHOTS.c.size))
    _change(1)


def downgrade():
    _change(-1)
    op.drop_column('snapshots', 'promised')


def _change(sign):
    connection = op.get_bind()
    for host, amount in connection.execute(
            sa.select(VOLUMES.c.host, sa.func.sum(SNAPSHOTS.c.promised))
            .join(SNAPSHOTS, SNAPSHOTS.c.volume_id == VOLUMES.c.id).group_by(VOLUMES.c.host)).all():
        connection.execute(POOLS.update().where(POOLS.c.name == host).values(
            promised=POOLS.c.promised + sign * int(amount)))
