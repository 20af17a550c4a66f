"""Attachments that were begun by the sequence of actions that preceded the attachments API, and by whom."""
import sqlalchemy as sa
from alembic import op

revision = '003'
down_revision = '002'


def upgrade():
    op.add_column('volume_attachments', sa.Column('legacy', sa.String(8)))


def downgrade():
    op.drop_column('volume_attachments', 'legacy')
