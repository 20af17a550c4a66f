"""Snapshots, and volumes that are made from them."""
import sqlalchemy as sa
from alembic import op

from svckit.db.base import Json, Moment

revision = '002'
down_revision = '001'
MARIADB = {'mysql_engine': 'InnoDB', 'mysql_charset': 'utf8mb4', 'mysql_collate': 'utf8mb4_bin'}


def upgrade():
    op.add_column('volumes', sa.Column('snapshot_id', sa.String(36)))
    op.create_table('snapshots',
                    sa.Column('id', sa.String(36), nullable=False),
                    sa.Column('volume_id', sa.String(36), nullable=False),
                    sa.Column('project_id', sa.String(255), nullable=False),
                    sa.Column('user_id', sa.String(255)),
                    sa.Column('name', sa.String(255), nullable=False),
                    sa.Column('description', sa.String(255)),
                    sa.Column('size', sa.BigInteger(), nullable=False),
                    sa.Column('counted', sa.BigInteger(), nullable=False),
                    sa.Column('status', sa.String(32), nullable=False),
                    sa.Column('previous_status', sa.String(32)),
                    sa.Column('progress', sa.Integer(), nullable=False),
                    sa.Column('volume_type_id', sa.String(36)),
                    sa.Column('meta', Json(), nullable=False),
                    sa.Column('created_at', Moment, nullable=False),
                    sa.Column('updated_at', Moment),
                    sa.ForeignKeyConstraint(['volume_id'], ['volumes.id'], name='fk_snapshots_volume_id'),
                    sa.ForeignKeyConstraint(['volume_type_id'], ['volume_types.id'],
                                            name='fk_snapshots_volume_type_id'),
                    sa.PrimaryKeyConstraint('id', name='pk_snapshots'),
                    **MARIADB)
    op.create_index('ix_snapshots_created_at_id', 'snapshots', ['created_at', 'id'])
    op.create_index('ix_snapshots_project_id_created_at_id', 'snapshots', ['project_id', 'created_at', 'id'])
    op.create_index('ix_snapshots_project_id_name', 'snapshots', ['project_id', 'name'])
    op.create_index('ix_snapshots_volume_id', 'snapshots', ['volume_id'])
    op.create_index('ix_snapshots_volume_type_id', 'snapshots', ['volume_type_id'])


def downgrade():
    op.drop_table('snapshots')
    op.drop_column('volumes', 'snapshot_id')
