"""Servers that move: their migrations, what they had before, and claims on hosts' room."""
import sqlalchemy as sa
from alembic import op

from svckit.db.base import Json, Moment, Serial

revision = '003'
down_revision = '002'
MARIADB = {'mysql_engine': 'InnoDB', 'mysql_charset': 'utf8mb4', 'mysql_collate': 'utf8mb4_bin'}
_NUMBER = {'nullable': False, 'server_default': '0'}


def upgrade():
    for column in (sa.Column('old_flavor', Json()), sa.Column('old_vm_state', sa.String(32)),
                   sa.Column('progress', sa.Integer(), **_NUMBER), sa.Column('ephemeral_gb', sa.Integer(), **_NUMBER),
                   sa.Column('swap_mb', sa.Integer(), **_NUMBER), sa.Column('local_disks', Json()),
                   sa.Column('shelved_at', Moment), sa.Column('shelved_image_id', sa.String(36))):
        op.add_column('servers', column)
    for name in ('vcpus_used', 'memory_mb_used', 'disk_gb_used'):
        op.add_column('hypervisors', sa.Column(name, sa.Integer(), **_NUMBER))

    op.create_table('migrations',
        sa.Column('id', Serial, autoincrement=True, nullable=False),
        sa.Column('uuid', sa.String(36), nullable=False),
        sa.Column('server_id', sa.String(36), nullable=False),
        sa.Column('type', sa.String(16), nullable=False),
        sa.Column('status', sa.String(32), nullable=False),
        sa.Column('source_host', sa.String(255)),
        sa.Column('source_node', sa.String(255)),
        sa.Column('dest_host', sa.String(255)),
        sa.Column('dest_node', sa.String(255)),
        sa.Column('old_flavor_id', sa.String(255)),
        sa.Column('new_flavor_id', sa.String(255)),
        sa.Column('user_id', sa.String(255)),
        sa.Column('project_id', sa.String(255)),
        sa.Column('created_at', Moment, nullable=False),
        sa.Column('updated_at', Moment),
        sa.PrimaryKeyConstraint('id', name='pk_migrations'),
        sa.UniqueConstraint('uuid', name='uq_migrations_uuid'),
        **MARIADB)
    op.create_index('ix_migrations_server_id', 'migrations', ['server_id'])
    op.create_index('ix_migrations_status', 'migrations', ['status'])

    op.create_table('claims',
        sa.Column('key', sa.String(64), nullable=False),
        sa.Column('host', sa.String(255), nullable=False),
        sa.Column('server_id', sa.String(36), nullable=False),
        sa.Column('vcpus', sa.Integer(), nullable=False),
        sa.Column('memory_mb', sa.Integer(), nullable=False),
        sa.Column('disk_gb', sa.Integer(), nullable=False),
        sa.Column('created_at', Moment, nullable=False),
        sa.PrimaryKeyConstraint('key', name='pk_claims'),
        **MARIADB)
    op.create_index('ix_claims_server_id', 'claims', ['server_id'])
    op.create_index('ix_claims_host', 'claims', ['host'])
    _claim_for_those_there()


def _claim_for_those_there():
    """Each server that has a host holds there what it takes; a host's use is the sum of its claims."""
    servers = sa.table('servers', *map(sa.column, ('id', 'host', 'vcpus', 'memory_mb', 'root_gb', 'created_at',
                                                   'deleted_at')))
    claims = sa.table('claims', *map(sa.column, ('key', 'host', 'server_id', 'vcpus', 'memory_mb', 'disk_gb',
                                                 'created_at')))
    hypervisors = sa.table('hypervisors', *map(sa.column, ('host', 'vcpus_used', 'memory_mb_used', 'disk_gb_used')))
    op.execute(claims.insert().from_select(
        ['key', 'host', 'server_id', 'vcpus', 'memory_mb', 'disk_gb', 'created_at'],
        sa.select(sa.literal('server:', sa.String) + sa.cast(servers.c.id, sa.String(36)), servers.c.host, servers.c.id,
                  servers.c.vcpus, servers.c.memory_mb, servers.c.root_gb, servers.c.created_at)
        .where(servers.c.host.is_not(None), servers.c.deleted_at.is_(None))))

    def used(column):
        return sa.select(sa.func.coalesce(sa.func.sum(column), 0)).where(
            claims.c.host == hypervisors.c.host).scalar_subquery()
    op.execute(hypervisors.update().values(
        vcpus_used=used(claims.c.vcpus), memory_mb_used=used(claims.c.memory_mb), disk_gb_used=used(claims.c.disk_gb)))


def downgrade():
    op.drop_table('claims')
    op.drop_table('migrations')
    for name in ('vcpus_used', 'memory_mb_used', 'disk_gb_used'):
        op.drop_column('hypervisors', name)
    for name in ('old_flavor', 'old_vm_state', 'progress', 'ephemeral_gb', 'swap_mb', 'local_disks', 'shelved_at',
                 'shelved_image_id'):
        op.drop_column('servers', name)
