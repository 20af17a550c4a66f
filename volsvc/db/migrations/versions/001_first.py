"""The first schema."""
import sqlalchemy as sa
from alembic import op

from svckit.db.base import Json, LongText, Moment, Serial

revision = '001'
down_revision = None
# Texts are compared exactly, as the other databases do: a volume named A is not the one named a.
MARIADB = {'mysql_engine': 'InnoDB', 'mysql_charset': 'utf8mb4', 'mysql_collate': 'utf8mb4_bin'}


def upgrade():
    op.create_table('messages',
                    sa.Column('id', sa.String(36), nullable=False),
                    sa.Column('project_id', sa.String(255), nullable=False),
                    sa.Column('request_id', sa.String(255)),
                    sa.Column('resource_type', sa.String(36), nullable=False),
                    sa.Column('resource_uuid', sa.String(36)),
                    sa.Column('event_id', sa.String(64), nullable=False),
                    sa.Column('message_level', sa.String(16), nullable=False),
                    sa.Column('user_message', LongText, nullable=False),
                    sa.Column('created_at', Moment, nullable=False),
                    sa.Column('expires_at', Moment, nullable=False),
                    sa.PrimaryKeyConstraint('id', name='pk_messages'),
                    **MARIADB)
    op.create_index('ix_messages_expires_at', 'messages', ['expires_at'])
    op.create_index('ix_messages_project_id_created_at_id', 'messages', ['project_id', 'created_at', 'id'])
    op.create_index('ix_messages_resource_uuid', 'messages', ['resource_uuid'])

    op.create_table('operation_events',
                    sa.Column('id', Serial, autoincrement=True, nullable=False),
                    sa.Column('operation_id', sa.String(36), nullable=False),
                    sa.Column('step', sa.String(64)),
                    sa.Column('event', sa.String(32), nullable=False),
                    sa.Column('detail', LongText),
                    sa.Column('at', sa.Double(), nullable=False),
                    sa.PrimaryKeyConstraint('id', name='pk_operation_events'),
                    **MARIADB)
    op.create_index('ix_operation_events_operation', 'operation_events', ['operation_id'])

    op.create_table('operations',
                    sa.Column('id', sa.String(36), nullable=False),
                    sa.Column('subject', sa.String(255)),
                    sa.Column('name', sa.String(64), nullable=False),
                    sa.Column('version', sa.Integer(), nullable=False),
                    sa.Column('params', Json(), nullable=False),
                    sa.Column('notes', Json(), nullable=False),
                    sa.Column('state', sa.String(16), nullable=False),
                    sa.Column('position', sa.Integer(), nullable=False),
                    sa.Column('attempts', sa.Integer(), nullable=False),
                    sa.Column('target', sa.String(255)),
                    sa.Column('due_at', sa.Double()),
                    sa.Column('lease', sa.Integer(), nullable=False),
                    sa.Column('lease_until', sa.Double()),
                    sa.Column('error', LongText),
                    sa.Column('refused', sa.Boolean(), nullable=False),
                    sa.Column('resume', sa.String(16)),
                    sa.Column('parent_id', sa.String(36)),
                    sa.Column('project_id', sa.String(255)),
                    sa.Column('user_id', sa.String(255)),
                    sa.Column('resource', sa.String(255)),
                    sa.Column('request_id', sa.String(64)),
                    sa.Column('created_at', sa.Double(), nullable=False),
                    sa.Column('ended_at', sa.Double()),
                    sa.PrimaryKeyConstraint('id', name='pk_operations'),
                    sa.UniqueConstraint('subject', name='uq_operations_subject'),
                    **MARIADB)
    op.create_index('ix_operations_ended', 'operations', ['ended_at'])
    op.create_index('ix_operations_parent', 'operations', ['parent_id'])
    op.create_index('ix_operations_resource', 'operations', ['resource'])
    op.create_index('ix_operations_state', 'operations', ['state', 'name'])
    op.create_index('ix_operations_target_due', 'operations', ['target', 'due_at'])

    op.create_table('quota_limits',
                    sa.Column('project_id', sa.String(255), nullable=False),
                    sa.Column('resource', sa.String(255), nullable=False),
                    sa.Column('hard_limit', sa.BigInteger(), nullable=False),
                    sa.PrimaryKeyConstraint('project_id', 'resource', name='pk_quota_limits'),
                    **MARIADB)

    op.create_table('quota_usages',
                    sa.Column('project_id', sa.String(255), nullable=False),
                    sa.Column('resource', sa.String(255), nullable=False),
                    sa.Column('in_use', sa.BigInteger(), nullable=False),
                    sa.PrimaryKeyConstraint('project_id', 'resource', name='pk_quota_usages'),
                    **MARIADB)

    op.create_table('services',
                    sa.Column('id', Serial, autoincrement=True, nullable=False),
                    sa.Column('uuid', sa.String(36), nullable=False),
                    sa.Column('binary', sa.String(64), nullable=False),
                    sa.Column('host', sa.String(255), nullable=False),
                    sa.Column('availability_zone', sa.String(255), nullable=False),
                    sa.Column('disabled', sa.Boolean(), nullable=False),
                    sa.Column('disabled_reason', sa.String(255)),
                    sa.Column('seen_at', sa.Double(), nullable=False),
                    sa.Column('capabilities', Json(), nullable=False),
                    sa.Column('created_at', Moment, nullable=False),
                    sa.Column('updated_at', Moment),
                    sa.PrimaryKeyConstraint('id', name='pk_services'),
                    sa.UniqueConstraint('binary', 'host', name='uq_services_binary_host'),
                    **MARIADB)

    op.create_table('volume_types',
                    sa.Column('id', sa.String(36), nullable=False),
                    sa.Column('name', sa.String(255), nullable=False),
                    sa.Column('description', sa.String(255)),
                    sa.Column('is_public', sa.Boolean(), nullable=False),
                    sa.Column('extra_specs', Json(), nullable=False),
                    sa.Column('created_at', Moment, nullable=False),
                    sa.Column('updated_at', Moment),
                    sa.PrimaryKeyConstraint('id', name='pk_volume_types'),
                    sa.UniqueConstraint('name', name='uq_volume_types_name'),
                    **MARIADB)

    op.create_table('volume_type_projects',
                    sa.Column('volume_type_id', sa.String(36), nullable=False),
                    sa.Column('project_id', sa.String(255), nullable=False),
                    sa.ForeignKeyConstraint(['volume_type_id'], ['volume_types.id'],
                                            name='fk_volume_type_projects_volume_type_id'),
                    sa.PrimaryKeyConstraint('volume_type_id', 'project_id', name='pk_volume_type_projects'),
                    **MARIADB)

    op.create_table('volumes',
                    sa.Column('id', sa.String(36), nullable=False),
                    sa.Column('project_id', sa.String(255), nullable=False),
                    sa.Column('user_id', sa.String(255)),
                    sa.Column('name', sa.String(255), nullable=False),
                    sa.Column('description', sa.String(255)),
                    sa.Column('size', sa.BigInteger(), nullable=False),
                    sa.Column('status', sa.String(32), nullable=False),
                    sa.Column('previous_status', sa.String(32)),
                    sa.Column('host', sa.String(255)),
                    sa.Column('availability_zone', sa.String(255), nullable=False),
                    sa.Column('volume_type_id', sa.String(36)),
                    sa.Column('bootable', sa.Boolean(), nullable=False),
                    sa.Column('multiattach', sa.Boolean(), nullable=False),
                    sa.Column('readonly', sa.Boolean(), nullable=False),
                    sa.Column('source_volid', sa.String(36)),
                    sa.Column('meta', Json(), nullable=False),
                    sa.Column('image_meta', Json()),
                    sa.Column('launched_at', Moment),
                    sa.Column('created_at', Moment, nullable=False),
                    sa.Column('updated_at', Moment),
                    sa.ForeignKeyConstraint(['volume_type_id'], ['volume_types.id'], name='fk_volumes_volume_type_id'),
                    sa.PrimaryKeyConstraint('id', name='pk_volumes'),
                    **MARIADB)
    op.create_index('ix_volumes_created_at_id', 'volumes', ['created_at', 'id'])
    op.create_index('ix_volumes_host', 'volumes', ['host'])
    op.create_index('ix_volumes_project_id_created_at_id', 'volumes', ['project_id', 'created_at', 'id'])
    op.create_index('ix_volumes_project_id_name', 'volumes', ['project_id', 'name'])
    op.create_index('ix_volumes_volume_type_id', 'volumes', ['volume_type_id'])

    op.create_table('volume_attachments',
                    sa.Column('id', sa.String(36), nullable=False),
                    sa.Column('volume_id', sa.String(36), nullable=False),
                    sa.Column('instance_uuid', sa.String(36)),
                    sa.Column('attach_status', sa.String(32), nullable=False),
                    sa.Column('attach_mode', sa.String(8)),
                    sa.Column('attached_host', sa.String(255)),
                    sa.Column('mountpoint', sa.String(255)),
                    sa.Column('connector', Json()),
                    sa.Column('connection_info', Json()),
                    sa.Column('attach_time', Moment),
                    sa.Column('created_at', Moment, nullable=False),
                    sa.Column('updated_at', Moment),
                    sa.ForeignKeyConstraint(['volume_id'], ['volumes.id'], name='fk_volume_attachments_volume_id'),
                    sa.PrimaryKeyConstraint('id', name='pk_volume_attachments'),
                    **MARIADB)
    op.create_index('ix_volume_attachments_instance_uuid', 'volume_attachments', ['instance_uuid'])
    op.create_index('ix_volume_attachments_volume_id', 'volume_attachments', ['volume_id'])


def downgrade():
    raise NotImplementedError('There is nothing before the first schema.')
