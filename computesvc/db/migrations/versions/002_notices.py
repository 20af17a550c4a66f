"""What an agent found odd about its volumes' devices."""
import sqlalchemy as sa
from alembic import op

from svckit.db.base import Json

revision = '002'
down_revision = '001'


def upgrade():
    op.add_column('hypervisors', sa.Column('notices', Json))


def downgrade():
    op.drop_column('hypervisors', 'notices')
