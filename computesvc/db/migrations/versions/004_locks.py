"""Who locked a server: what an administrator locked is not for its owner to open."""
import sqlalchemy as sa
from alembic import op

revision = '004'
down_revision = '003'


def upgrade():
    op.add_column('servers', sa.Column('locked_by', sa.String(16)))


def downgrade():
    op.drop_column('servers', 'locked_by')
