"""Tables of volsvc.  Sizes are bytes; moments are UTC without a zone."""
import datetime

from sqlalchemy import BigInteger, Double, ForeignKey, Index, String, UniqueConstraint, select
from sqlalchemy.orm import Mapped, mapped_column, relationship

from svckit import operations as engine
from svckit import quota
from svckit.db import Json, Timestamps, new_id
from svckit.db.base import LongText, Serial
from volsvc.db.base import Base

Uuid = String(36)


# What lists are sorted by last (api/filters.py: THEN), and so what indexes for them end in.
_AT = 'created_at', 'id'


def _listed(*keys) -> list[Index]:
    """A page of all or of a project's is found at once, whichever of `keys` it is sorted or filtered by."""
    return [Index(None, *_AT), Index(None, 'project_id', *_AT), *(Index(None, 'project_id', key, *_AT) for key in keys)]


class VolumeType(Timestamps, Base):
    """What kind of volume one can ask for; its extra specs choose the backend and set limits."""
    __tablename__ = 'volume_types'
    id: Mapped[str] = mapped_column(Uuid, primary_key=True, default=new_id)
    name: Mapped[str] = mapped_column(unique=True)
    description: Mapped[str | None]
    is_public: Mapped[bool] = mapped_column(default=True)
    extra_specs: Mapped[dict] = mapped_column(Json, default=dict)
    encryption: Mapped[dict | None] = mapped_column(Json)    # how, with its own id and moments as text


class VolumeTypeProject(Base):
    """A project that may use a type that is not public."""
    __tablename__ = 'volume_type_projects'
    volume_type_id: Mapped[str] = mapped_column(Uuid, ForeignKey('volume_types.id'), primary_key=True)
    project_id: Mapped[str] = mapped_column(primary_key=True)


class DefaultVolumeType(Base):
    """The type of a project's volumes that are made without one."""
    __tablename__ = 'default_volume_types'
    __table_args__ = (Index(None, 'volume_type_id'), Base.__table_args__)
    project_id: Mapped[str] = mapped_column(primary_key=True)
    volume_type_id: Mapped[str] = mapped_column(Uuid, ForeignKey('volume_types.id'))


class Volume(Timestamps, Base):
    """A volume, from the request that makes it until its data are gone."""
    __tablename__ = 'volumes'
    __table_args__ = (*_listed('name', 'status', 'size', 'updated_at'), Index(None, 'status', *_AT),
                      Index(None, 'host', *_AT), Index(None, 'volume_type_id'), Base.__table_args__)
    id: Mapped[str] = mapped_column(Uuid, primary_key=True, default=new_id)
    project_id: Mapped[str]
    user_id: Mapped[str | None]
    name: Mapped[str] = mapped_column(default='')
    description: Mapped[str | None]
    size: Mapped[int] = mapped_column(BigInteger)            # bytes, a whole number of GiB
    status: Mapped[str] = mapped_column(String(32))
    previous_status: Mapped[str | None] = mapped_column(String(32))      # where a refused request goes back to
    host: Mapped[str | None]                                 # 'host@backend#pool'; none: it could not be made
    availability_zone: Mapped[str]
    volume_type_id: Mapped[str | None] = mapped_column(Uuid, ForeignKey('volume_types.id'))
    bootable: Mapped[bool] = mapped_column(default=False)
    multiattach: Mapped[bool] = mapped_column(default=False)
    readonly: Mapped[bool] = mapped_column(default=False)
    source_volid: Mapped[str | None] = mapped_column(Uuid)
    snapshot_id: Mapped[str | None] = mapped_column(Uuid)    # what it was made from; that may be gone
    meta: Mapped[dict] = mapped_column(Json, default=dict)
    image_meta: Mapped[dict | None] = mapped_column(Json)    # of the image it was made from
    launched_at: Mapped[datetime.datetime | None]
    type: Mapped[VolumeType | None] = relationship(lazy='joined', innerjoin=False)
    attachments: Mapped[list['Attachment']] = relationship(
        lazy='selectin', order_by='Attachment.created_at', back_populates='volume', passive_deletes='all')

    @property
    def type_name(self) -> str | None:
        return self.type and self.type.name


def _owner(context) -> str:
    """The project of the volume that a new row is for."""
    return context.connection.scalar(select(Volume.project_id).where(
        Volume.id == context.get_current_parameters()['volume_id']))


class Attachment(Timestamps, Base):
    """A volume's use by one server (or host), from its reservation on.

    attach_status: reserved, attaching (its backend has exported it), attached,
    detaching.
    """
    __tablename__ = 'volume_attachments'
    __table_args__ = (*_listed(), Index(None, 'volume_id'), Index(None, 'instance_uuid'), Base.__table_args__)
    id: Mapped[str] = mapped_column(Uuid, primary_key=True, default=new_id)
    volume_id: Mapped[str] = mapped_column(Uuid, ForeignKey('volumes.id'))
    project_id: Mapped[str] = mapped_column(default=_owner)              # the volume's, for lists
    instance_uuid: Mapped[str | None] = mapped_column(Uuid)
    attach_status: Mapped[str] = mapped_column(String(32), default='reserved')
    attach_mode: Mapped[str | None] = mapped_column(String(8))           # rw, ro
    attached_host: Mapped[str | None]
    mountpoint: Mapped[str | None]                           # '/dev/vdb'
    connector: Mapped[dict | None] = mapped_column(Json)
    connection_info: Mapped[dict | None] = mapped_column(Json)           # {'driver_volume_type', 'data'}
    attach_time: Mapped[datetime.datetime | None]
    legacy: Mapped[str | None] = mapped_column(String(8))    # begun by os-reserve or what follows it: 'service', 'user'
    volume: Mapped[Volume] = relationship(lazy='raise', back_populates='attachments')


class Snapshot(Timestamps, Base):
    """What a volume held at one moment, from the request that makes it until its data are gone."""
    __tablename__ = 'snapshots'
    __table_args__ = (*_listed('name', 'status', 'size', 'updated_at'), Index(None, 'volume_id', *_AT),
                      Index(None, 'volume_type_id'), Base.__table_args__)
    id: Mapped[str] = mapped_column(Uuid, primary_key=True, default=new_id)
    volume_id: Mapped[str] = mapped_column(Uuid, ForeignKey('volumes.id'))
    project_id: Mapped[str]
    user_id: Mapped[str | None]
    name: Mapped[str] = mapped_column(default='')
    description: Mapped[str | None]
    size: Mapped[int] = mapped_column(BigInteger)            # bytes that the volume had
    counted: Mapped[int] = mapped_column(BigInteger)         # bytes of it that count for the quota
    promised: Mapped[int] = mapped_column(BigInteger, default=0)         # bytes of its volume's pool that it holds
    status: Mapped[str] = mapped_column(String(32))
    previous_status: Mapped[str | None] = mapped_column(String(32))      # where a refused request goes back to
    progress: Mapped[int] = mapped_column(default=0)         # per cent
    volume_type_id: Mapped[str | None] = mapped_column(Uuid, ForeignKey('volume_types.id'))
    meta: Mapped[dict] = mapped_column(Json, default=dict)
    type: Mapped[VolumeType | None] = relationship(lazy='joined', innerjoin=False)
    volume: Mapped[Volume] = relationship(lazy='raise')


class Service(Timestamps, Base):
    """A worker's backend, as it last reported."""
    __tablename__ = 'services'
    __table_args__ = (UniqueConstraint('binary', 'host'), Base.__table_args__)
    id: Mapped[int] = mapped_column(Serial, primary_key=True, autoincrement=True)
    uuid: Mapped[str] = mapped_column(Uuid, default=new_id)
    binary: Mapped[str] = mapped_column(String(64))          # by the names that clients know: cinder-volume
    host: Mapped[str]                                        # 'host@backend'
    availability_zone: Mapped[str]
    disabled: Mapped[bool] = mapped_column(default=False)
    disabled_reason: Mapped[str | None]
    seen_at: Mapped[float] = mapped_column(Double)           # seconds since the epoch, the database's clock
    capabilities: Mapped[dict] = mapped_column(Json, default=dict)       # what its driver can and has


class Pool(Base):
    """Where volumes and their snapshots are, and how much of it is promised (db/claims.py)."""
    __tablename__ = 'pools'
    name: Mapped[str] = mapped_column(primary_key=True)      # 'host@backend#pool', as volumes have it
    promised: Mapped[int] = mapped_column(BigInteger, default=0)         # bytes


class Message(Base):
    """What a user should know of a request that ended otherwise than asked."""
    __tablename__ = 'messages'
    __table_args__ = (*_listed(), Index(None, 'expires_at'), Index(None, 'resource_uuid'), Base.__table_args__)
    id: Mapped[str] = mapped_column(Uuid, primary_key=True, default=new_id)
    project_id: Mapped[str]
    request_id: Mapped[str | None]
    resource_type: Mapped[str] = mapped_column(String(36))
    resource_uuid: Mapped[str | None] = mapped_column(Uuid)
    event_id: Mapped[str] = mapped_column(String(64))
    message_level: Mapped[str] = mapped_column(String(16))
    user_message: Mapped[str] = mapped_column(LongText)
    created_at: Mapped[datetime.datetime]
    expires_at: Mapped[datetime.datetime]


engine.tables(Base)
quota.tables(Base)
