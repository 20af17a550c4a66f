"""Tables of computesvc.  Sizes are bytes or MiB as the column's name says; moments are UTC without a zone."""
import datetime

from sqlalchemy import BigInteger, Double, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from computesvc.db.base import Base
from svckit import operations as engine
from svckit import quota
from svckit.db import Json, Timestamps, new_id, utcnow
from svckit.db.base import LongText, Serial

Uuid = String(36)


class Server(Timestamps, Base):
    """A server, also for a while after its deletion (`deleted_at`)."""
    __tablename__ = 'servers'
    __table_args__ = (Index(None, 'project_id', 'deleted_at', 'created_at'), Index(None, 'host', 'deleted_at'),
                      Base.__table_args__)
    id: Mapped[str] = mapped_column(Uuid, primary_key=True, default=new_id)
    project_id: Mapped[str]
    user_id: Mapped[str | None]
    name: Mapped[str]
    description: Mapped[str | None]
    hostname: Mapped[str | None]
    vm_state: Mapped[str] = mapped_column(String(32), default='building')
    task_state: Mapped[str | None] = mapped_column(String(32))
    power_state: Mapped[int] = mapped_column(default=0)      # Nova's numbers: 0 none, 1 running, 3 paused, 4 shut down
    host: Mapped[str | None]
    node: Mapped[str | None]                                 # the hypervisor's host name
    availability_zone: Mapped[str | None]                    # as the user pinned it
    flavor: Mapped[dict] = mapped_column(Json)               # as it was when the server was made
    flavor_id: Mapped[str]
    vcpus: Mapped[int]
    memory_mb: Mapped[int]
    root_gb: Mapped[int]                                     # 0 with its root on a volume
    image_id: Mapped[str | None] = mapped_column(Uuid)
    root_device: Mapped[str | None] = mapped_column(String(32))
    root_disk: Mapped[dict | None] = mapped_column(Json)     # {'path', 'size'} of a local root disk
    ephemeral_gb: Mapped[int] = mapped_column(default=0)
    swap_mb: Mapped[int] = mapped_column(default=0)
    local_disks: Mapped[list | None] = mapped_column(Json)   # beside the root: [{'name', 'device', 'path', 'size'}]
    old_flavor: Mapped[dict | None] = mapped_column(Json)    # while it is moved and until that is confirmed
    old_vm_state: Mapped[str | None] = mapped_column(String(32))     # to which a move leads back
    progress: Mapped[int] = mapped_column(default=0)         # percent of its disks' data that has been moved
    shelved_at: Mapped[datetime.datetime | None]
    shelved_image_id: Mapped[str | None] = mapped_column(Uuid)
    networks: Mapped[str] = mapped_column(String(16), default='none')
    meta: Mapped[dict] = mapped_column(Json, default=dict)
    tags: Mapped[list] = mapped_column(Json, default=list)
    key_name: Mapped[str | None]
    user_data: Mapped[str | None] = mapped_column(LongText)
    config_drive: Mapped[bool] = mapped_column(default=False)
    access_ip_v4: Mapped[str | None]
    access_ip_v6: Mapped[str | None]
    reservation_id: Mapped[str | None]
    launch_index: Mapped[int] = mapped_column(default=0)
    locked: Mapped[bool] = mapped_column(default=False)
    locked_by: Mapped[str | None] = mapped_column(String(16))    # owner or admin
    locked_reason: Mapped[str | None]
    fault: Mapped[dict | None] = mapped_column(Json)         # {'code', 'message', 'created'}
    launched_at: Mapped[datetime.datetime | None]
    terminated_at: Mapped[datetime.datetime | None]
    deleted_at: Mapped[datetime.datetime | None]


class Attachment(Timestamps, Base):
    """A volume on a server, from the moment its attaching was asked for."""
    __tablename__ = 'attachments'
    __table_args__ = (UniqueConstraint('server_id', 'volume_id'), UniqueConstraint('server_id', 'device'),
                      Index(None, 'volume_id'), Base.__table_args__)
    id: Mapped[str] = mapped_column(Uuid, primary_key=True, default=new_id)
    server_id: Mapped[str] = mapped_column(Uuid, ForeignKey('servers.id'))
    volume_id: Mapped[str] = mapped_column(Uuid)
    attachment_id: Mapped[str | None] = mapped_column(Uuid)  # the volume service's attachment, once reserved
    state: Mapped[str] = mapped_column(String(16), default='attaching')     # attached, detaching, failed, left
    device: Mapped[str] = mapped_column(String(32))          # '/dev/vdb'
    boot_index: Mapped[int | None]
    delete_on_termination: Mapped[bool] = mapped_column(default=False)
    tag: Mapped[str | None]
    connection_info: Mapped[dict | None] = mapped_column(Json)
    path: Mapped[str | None]                                 # of the device on the host
    path_type: Mapped[str | None] = mapped_column(String(16))    # file, block, network
    size: Mapped[int | None] = mapped_column(BigInteger)     # bytes, as last brought to the guest


class InstanceAction(Base):
    """What somebody asked of a server, by the id of the request."""
    __tablename__ = 'instance_actions'
    __table_args__ = (Index(None, 'server_id', 'request_id'), Base.__table_args__)
    id: Mapped[int] = mapped_column(Serial, primary_key=True, autoincrement=True)
    server_id: Mapped[str] = mapped_column(Uuid, ForeignKey('servers.id'))
    action: Mapped[str]
    request_id: Mapped[str | None]
    user_id: Mapped[str | None]
    project_id: Mapped[str | None]
    message: Mapped[str | None]
    start_time: Mapped[datetime.datetime] = mapped_column(default=utcnow)
    updated_at: Mapped[datetime.datetime | None] = mapped_column(default=utcnow, onupdate=utcnow)


class ActionEvent(Base):
    """One piece of work for an action, and how it ended."""
    __tablename__ = 'instance_action_events'
    __table_args__ = (Index(None, 'action_id'), Index(None, 'subject'), Base.__table_args__)
    id: Mapped[int] = mapped_column(Serial, primary_key=True, autoincrement=True)
    action_id: Mapped[int] = mapped_column(Serial, ForeignKey('instance_actions.id'))
    event: Mapped[str]
    subject: Mapped[str | None]                              # whose operation finishes it
    host: Mapped[str | None]
    start_time: Mapped[datetime.datetime] = mapped_column(default=utcnow)
    finish_time: Mapped[datetime.datetime | None]
    result: Mapped[str | None] = mapped_column(String(16))   # Success or Error
    details: Mapped[str | None] = mapped_column(LongText)


class Flavor(Timestamps, Base):
    __tablename__ = 'flavors'
    id: Mapped[str] = mapped_column(String(255), primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    description: Mapped[str | None]
    vcpus: Mapped[int]
    memory_mb: Mapped[int]
    disk_gb: Mapped[int]
    ephemeral_gb: Mapped[int] = mapped_column(default=0)
    swap_mb: Mapped[int] = mapped_column(default=0)
    rxtx_factor: Mapped[float] = mapped_column(default=1.0)
    is_public: Mapped[bool] = mapped_column(default=True)
    disabled: Mapped[bool] = mapped_column(default=False)
    extra_specs: Mapped[dict] = mapped_column(Json, default=dict)


class Service(Timestamps, Base):
    """A process of ours that reports now and then."""
    __tablename__ = 'services'
    __table_args__ = (UniqueConstraint('binary', 'host'), Base.__table_args__)
    id: Mapped[int] = mapped_column(Serial, primary_key=True, autoincrement=True)
    uuid: Mapped[str] = mapped_column(Uuid, default=new_id)
    binary: Mapped[str]                                      # by the names that clients know: nova-compute, …
    host: Mapped[str]
    zone: Mapped[str]
    disabled: Mapped[bool] = mapped_column(default=False)
    disabled_reason: Mapped[str | None]
    forced_down: Mapped[bool] = mapped_column(default=False)
    seen_at: Mapped[float] = mapped_column(Double)           # seconds since the epoch, the database's clock


class Hypervisor(Timestamps, Base):
    """What an agent said of its host."""
    __tablename__ = 'hypervisors'
    id: Mapped[int] = mapped_column(Serial, primary_key=True, autoincrement=True)
    uuid: Mapped[str] = mapped_column(Uuid, default=new_id)
    host: Mapped[str] = mapped_column(unique=True)
    hostname: Mapped[str]
    type: Mapped[str]
    version: Mapped[int]
    vcpus: Mapped[int]
    memory_mb: Mapped[int]
    local_gb: Mapped[int]
    host_ip: Mapped[str | None]
    capabilities: Mapped[dict] = mapped_column(Json)
    notices: Mapped[list | None] = mapped_column(Json)       # sentences for an operator on its volumes' devices
    vcpus_used: Mapped[int] = mapped_column(default=0)       # the sums of its claims, here and below
    memory_mb_used: Mapped[int] = mapped_column(default=0)
    disk_gb_used: Mapped[int] = mapped_column(default=0)


class Claim(Base):
    """Room that a server holds on a host."""
    __tablename__ = 'claims'
    __table_args__ = (Index(None, 'server_id'), Index(None, 'host'), Base.__table_args__)
    key: Mapped[str] = mapped_column(String(64), primary_key=True)   # 'server:<id>', or 'move:<migration's uuid>'
    host: Mapped[str]
    server_id: Mapped[str] = mapped_column(Uuid)
    vcpus: Mapped[int]
    memory_mb: Mapped[int]
    disk_gb: Mapped[int]
    created_at: Mapped[datetime.datetime] = mapped_column(default=utcnow)


class Migration(Timestamps, Base):
    """One resize or cold migration of a server, from its request to its confirmation or return."""
    __tablename__ = 'migrations'
    __table_args__ = (UniqueConstraint('uuid'), Index(None, 'server_id'), Index(None, 'status'), Base.__table_args__)
    id: Mapped[int] = mapped_column(Serial, primary_key=True, autoincrement=True)
    uuid: Mapped[str] = mapped_column(Uuid, default=new_id)
    server_id: Mapped[str] = mapped_column(Uuid)
    type: Mapped[str] = mapped_column(String(16))            # resize or migration
    status: Mapped[str] = mapped_column(String(32))          # see db/moves.py
    source_host: Mapped[str | None]
    source_node: Mapped[str | None]
    dest_host: Mapped[str | None]
    dest_node: Mapped[str | None]
    old_flavor_id: Mapped[str | None]
    new_flavor_id: Mapped[str | None]
    user_id: Mapped[str | None]
    project_id: Mapped[str | None]


class Keypair(Timestamps, Base):
    __tablename__ = 'keypairs'
    __table_args__ = (UniqueConstraint('user_id', 'name'), Base.__table_args__)
    id: Mapped[int] = mapped_column(Serial, primary_key=True, autoincrement=True)
    user_id: Mapped[str]
    name: Mapped[str]
    type: Mapped[str] = mapped_column(String(16), default='ssh')
    fingerprint: Mapped[str]
    public_key: Mapped[str] = mapped_column(LongText)


engine.tables(Base)
quota.tables(Base)
