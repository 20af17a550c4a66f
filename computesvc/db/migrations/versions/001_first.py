"""The first schema."""
import sqlalchemy as sa
from alembic import op

from svckit.db.base import Json, LongText, Moment, Serial

revision = '001'
down_revision = None
# Texts are compared exactly, as the other databases do: a flavor named A is not the one named a.
MARIADB = {'mysql_engine': 'InnoDB', 'mysql_charset': 'utf8mb4', 'mysql_collate': 'utf8mb4_bin'}


def upgrade():
    op.create_table('flavors',
        sa.Column('id', sa.String(255), nullable=False),
        sa.Column('name', sa.String(255), nullable=False),
        sa.Column('description', sa.String(255)),
        sa.Column('vcpus', sa.Integer(), nullable=False),
        sa.Column('memory_mb', sa.Integer(), nullable=False),
        sa.Column('disk_gb', sa.Integer(), nullable=False),
        sa.Column('ephemeral_gb', sa.Integer(), nullable=False),
        sa.Column('swap_mb', sa.Integer(), nullable=False),
        sa.Column('rxtx_factor', sa.Double(), nullable=False),
        sa.Column('is_public', sa.Boolean(), nullable=False),
        sa.Column('disabled', sa.Boolean(), nullable=False),
        sa.Column('extra_specs', Json(), nullable=False),
        sa.Column('created_at', Moment, nullable=False),
        sa.Column('updated_at', Moment),
        sa.PrimaryKeyConstraint('id', name='pk_flavors'),
        sa.UniqueConstraint('name', name='uq_flavors_name'),
        **MARIADB)

    op.create_table('hypervisors',
        sa.Column('id', Serial, autoincrement=True, nullable=False),
        sa.Column('uuid', sa.String(36), nullable=False),
        sa.Column('host', sa.String(255), nullable=False),
        sa.Column('hostname', sa.String(255), nullable=False),
        sa.Column('type', sa.String(255), nullable=False),
        sa.Column('version', sa.Integer(), nullable=False),
        sa.Column('vcpus', sa.Integer(), nullable=False),
        sa.Column('memory_mb', sa.Integer(), nullable=False),
        sa.Column('local_gb', sa.Integer(), nullable=False),
        sa.Column('host_ip', sa.String(255)),
        sa.Column('capabilities', Json(), nullable=False),
        sa.Column('created_at', Moment, nullable=False),
        sa.Column('updated_at', Moment),
        sa.PrimaryKeyConstraint('id', name='pk_hypervisors'),
        sa.UniqueConstraint('host', name='uq_hypervisors_host'),
        **MARIADB)

    op.create_table('keypairs',
        sa.Column('id', Serial, autoincrement=True, nullable=False),
        sa.Column('user_id', sa.String(255), nullable=False),
        sa.Column('name', sa.String(255), nullable=False),
        sa.Column('type', sa.String(16), nullable=False),
        sa.Column('fingerprint', sa.String(255), nullable=False),
        sa.Column('public_key', LongText, nullable=False),
        sa.Column('created_at', Moment, nullable=False),
        sa.Column('updated_at', Moment),
        sa.PrimaryKeyConstraint('id', name='pk_keypairs'),
        sa.UniqueConstraint('user_id', 'name', name='uq_keypairs_user_id_name'),
        **MARIADB)

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

    op.create_table('servers',
        sa.Column('id', sa.String(36), nullable=False),
        sa.Column('project_id', sa.String(255), nullable=False),
        sa.Column('user_id', sa.String(255)),
        sa.Column('name', sa.String(255), nullable=False),
        sa.Column('description', sa.String(255)),
        sa.Column('hostname', sa.String(255)),
        sa.Column('vm_state', sa.String(32), nullable=False),
        sa.Column('task_state', sa.String(32)),
        sa.Column('power_state', sa.Integer(), nullable=False),
        sa.Column('host', sa.String(255)),
        sa.Column('node', sa.String(255)),
        sa.Column('availability_zone', sa.String(255)),
        sa.Column('flavor', Json(), nullable=False),
        sa.Column('flavor_id', sa.String(255), nullable=False),
        sa.Column('vcpus', sa.Integer(), nullable=False),
        sa.Column('memory_mb', sa.Integer(), nullable=False),
        sa.Column('root_gb', sa.Integer(), nullable=False),
        sa.Column('image_id', sa.String(36)),
        sa.Column('root_device', sa.String(32)),
        sa.Column('root_disk', Json()),
        sa.Column('networks', sa.String(16), nullable=False),
        sa.Column('meta', Json(), nullable=False),
        sa.Column('tags', Json(), nullable=False),
        sa.Column('key_name', sa.String(255)),
        sa.Column('user_data', LongText),
        sa.Column('config_drive', sa.Boolean(), nullable=False),
        sa.Column('access_ip_v4', sa.String(255)),
        sa.Column('access_ip_v6', sa.String(255)),
        sa.Column('reservation_id', sa.String(255)),
        sa.Column('launch_index', sa.Integer(), nullable=False),
        sa.Column('locked', sa.Boolean(), nullable=False),
        sa.Column('locked_reason', sa.String(255)),
        sa.Column('fault', Json()),
        sa.Column('launched_at', Moment),
        sa.Column('terminated_at', Moment),
        sa.Column('deleted_at', Moment),
        sa.Column('created_at', Moment, nullable=False),
        sa.Column('updated_at', Moment),
        sa.PrimaryKeyConstraint('id', name='pk_servers'),
        **MARIADB)
    op.create_index('ix_servers_host_deleted_at', 'servers', ['host', 'deleted_at'])
    op.create_index('ix_servers_project_id_deleted_at_created_at', 'servers',
                    ['project_id', 'deleted_at', 'created_at'])

    op.create_table('services',
        sa.Column('id', Serial, autoincrement=True, nullable=False),
        sa.Column('uuid', sa.String(36), nullable=False),
        sa.Column('binary', sa.String(255), nullable=False),
        sa.Column('host', sa.String(255), nullable=False),
        sa.Column('zone', sa.String(255), nullable=False),
        sa.Column('disabled', sa.Boolean(), nullable=False),
        sa.Column('disabled_reason', sa.String(255)),
        sa.Column('forced_down', sa.Boolean(), nullable=False),
        sa.Column('seen_at', sa.Double(), nullable=False),
        sa.Column('created_at', Moment, nullable=False),
        sa.Column('updated_at', Moment),
        sa.PrimaryKeyConstraint('id', name='pk_services'),
        sa.UniqueConstraint('binary', 'host', name='uq_services_binary_host'),
        **MARIADB)

    op.create_table('attachments',
        sa.Column('id', sa.String(36), nullable=False),
        sa.Column('server_id', sa.String(36), nullable=False),
        sa.Column('volume_id', sa.String(36), nullable=False),
        sa.Column('attachment_id', sa.String(36)),
        sa.Column('state', sa.String(16), nullable=False),
        sa.Column('device', sa.String(32), nullable=False),
        sa.Column('boot_index', sa.Integer()),
        sa.Column('delete_on_termination', sa.Boolean(), nullable=False),
        sa.Column('tag', sa.String(255)),
        sa.Column('connection_info', Json()),
        sa.Column('path', sa.String(255)),
        sa.Column('path_type', sa.String(16)),
        sa.Column('size', sa.BigInteger()),
        sa.Column('created_at', Moment, nullable=False),
        sa.Column('updated_at', Moment),
        sa.ForeignKeyConstraint(['server_id'], ['servers.id'], name='fk_attachments_server_id'),
        sa.PrimaryKeyConstraint('id', name='pk_attachments'),
        sa.UniqueConstraint('server_id', 'device', name='uq_attachments_server_id_device'),
        sa.UniqueConstraint('server_id', 'volume_id', name='uq_attachments_server_id_volume_id'),
        **MARIADB)
    op.create_index('ix_attachments_volume_id', 'attachments', ['volume_id'])

    op.create_table('instance_actions',
        sa.Column('id', Serial, autoincrement=True, nullable=False),
        sa.Column('server_id', sa.String(36), nullable=False),
        sa.Column('action', sa.String(255), nullable=False),
        sa.Column('request_id', sa.String(255)),
        sa.Column('user_id', sa.String(255)),
        sa.Column('project_id', sa.String(255)),
        sa.Column('message', sa.String(255)),
        sa.Column('start_time', Moment, nullable=False),
        sa.Column('updated_at', Moment),
        sa.ForeignKeyConstraint(['server_id'], ['servers.id'], name='fk_instance_actions_server_id'),
        sa.PrimaryKeyConstraint('id', name='pk_instance_actions'),
        **MARIADB)
    op.create_index('ix_instance_actions_server_id_request_id', 'instance_actions',
                    ['server_id', 'request_id'])

    op.create_table('instance_action_events',
        sa.Column('id', Serial, autoincrement=True, nullable=False),
        sa.Column('action_id', Serial, nullable=False),
        sa.Column('event', sa.String(255), nullable=False),
        sa.Column('subject', sa.String(255)),
        sa.Column('host', sa.String(255)),
        sa.Column('start_time', Moment, nullable=False),
        sa.Column('finish_time', Moment),
        sa.Column('result', sa.String(16)),
        sa.Column('details', LongText),
        sa.ForeignKeyConstraint(['action_id'], ['instance_actions.id'], name='fk_instance_action_events_action_id'),
        sa.PrimaryKeyConstraint('id', name='pk_instance_action_events'),
        **MARIADB)
    op.create_index('ix_instance_action_events_action_id', 'instance_action_events', ['action_id'])
    op.create_index('ix_instance_action_events_subject', 'instance_action_events', ['subject'])
    # ### end Alembic commands ###


def downgrade():
    raise NotImplementedError('There is nothing before the first schema.')
