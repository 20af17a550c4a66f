"""How volumes of a type are encrypted; the types that projects have chosen for volumes made without one."""
import sqlalchemy as sa
from alembic import op

from svckit.db.base import Json

revision = '006'
down_revision = '005'
MARIADB = {'mysql_engine': 'InnoDB', 'mysql_charset': 'utf8mb4', 'mysql_collate': 'utf8mb4_bin'}


def upgrade():
    op.add_column('volume_types', sa.Column('encryption', Json()))
    op.create_table('default_volume_types',
                    sa.Column('project_id', sa.String(255), nullable=False),
                    sa.Column('volume_type_id', sa.String(36), nullable=False),
                    sa.ForeignKeyConstraint(['volume_type_id'], ['volume_types.id'],
                                            name='fk_default_volume_types_volume_type_id'),
                    sa.PrimaryKeyConstraint('project_id', name='pk_default_volume_types'),
                    **MARIADB)
    op.create_index('ix_default_volume_types_volume_type_id', 'default_volume_types', ['volume_type_id'])


def downgrade():
    op.drop_table('default_volume_types')
    op.drop_column('volume_types', 'encryption')
