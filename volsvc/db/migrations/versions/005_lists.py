"""Indexes by which a page of a list is found at once, however long the list; whose an attachment is."""
import sqlalchemy as sa
from alembic import op

revision = '005'
down_revision = '004'

AT = ['created_at', 'id']
# The new ones of each table: the columns before AT.
INDEXES = {
    'volumes': [['project_id', 'name'], ['project_id', 'status'], ['project_id', 'size'], ['project_id', 'updated_at'],
                ['status'], ['host']],
    'snapshots': [['project_id', 'name'], ['project_id', 'status'], ['project_id', 'size'],
                  ['project_id', 'updated_at'], ['volume_id']],
    'volume_attachments': [[], ['project_id']],
    'messages': [[]],
}
# Those whose columns others now begin with.
OLD = {'volumes': [['project_id', 'name'], ['host']], 'snapshots': [['project_id', 'name'], ['volume_id']]}


def upgrade():
    op.add_column('volume_attachments', sa.Column('project_id', sa.String(255), nullable=False, server_default=''))
    op.execute('UPDATE volume_attachments SET project_id = '
               '(SELECT volumes.project_id FROM volumes WHERE volumes.id = volume_attachments.volume_id)')
    for table, indexes in INDEXES.items():
        for columns in indexes:
            op.create_index(_name(table, columns + AT), table, [_ordered(column) for column in columns + AT])
    for table, indexes in OLD.items():
        for columns in indexes:
            op.drop_index(_name(table, columns), table)


def downgrade():
    for table, indexes in OLD.items():
        for columns in indexes:
            op.create_index(_name(table, columns), table, columns)
    for table, indexes in INDEXES.items():
        for columns in indexes:
            op.drop_index(_name(table, columns + AT), table)
    op.drop_column('volume_attachments', 'project_id')


def _name(table, columns):
    return f'ix_{table}_{"_".join(columns)}'


def _ordered(column):
    """What is missing comes first (db/keyset.py), which only PostgreSQL has to be told."""
    if column == 'updated_at' and op.get_bind().dialect.name == 'postgresql':
        return sa.text('updated_at NULLS FIRST')
    return column
