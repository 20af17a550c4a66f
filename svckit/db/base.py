"""Declarative base and column types shared by the services' models."""
import datetime
import json
import uuid

from sqlalchemy import BigInteger, DateTime, Integer, MetaData, String, Text, TypeDecorator
from sqlalchemy.dialects import mysql
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

NAMES = {
    'ix': 'ix_%(table_name)s_%(column_0_N_name)s',
    'uq': 'uq_%(table_name)s_%(column_0_N_name)s',
    'fk': 'fk_%(table_name)s_%(column_0_N_name)s',
    'pk': 'pk_%(table_name)s',
}

# MySQL's DATETIME drops the fraction and its TEXT ends at 64 KiB unless told otherwise.
Moment = DateTime().with_variant(mysql.DATETIME(fsp=6), 'mysql', 'mariadb')
LongText = Text().with_variant(mysql.MEDIUMTEXT(), 'mysql', 'mariadb')
# SQLite counts up by itself only in a column declared INTEGER.
Serial = BigInteger().with_variant(Integer(), 'sqlite')


class Json(TypeDecorator):
    """A JSON document stored as text, alike on every database; NULL stays None."""
    impl = LongText
    cache_ok = True

    def process_bind_param(self, value, dialect):
        return None if value is None else json.dumps(value, separators=(',', ':'))

    def process_result_value(self, value, dialect):
        if value == '{}':           # as most are, and finding that out takes json a while
            return {}
        return None if value is None else json.loads(value)


def utcnow() -> datetime.datetime:
    """The time as the APIs show it: UTC without a zone, with microseconds."""
    return datetime.datetime.now(datetime.UTC).replace(tzinfo=None)


def new_id() -> str:
    return str(uuid.uuid4())


def make_base() -> type[DeclarativeBase]:
    """A declarative base with a metadata of its own: one for each service."""
    class Base(DeclarativeBase):
        metadata = MetaData(naming_convention=NAMES)
        __table_args__ = {'mysql_engine': 'InnoDB', 'mysql_charset': 'utf8mb4', 'mysql_collate': 'utf8mb4_bin'}
        type_annotation_map = {
            datetime.datetime: Moment,
            str: String(255),
            dict: Json,
            list: Json,
        }
    return Base


class Timestamps:
    """Mixin: when a row was made and last changed."""
    created_at: Mapped[datetime.datetime] = mapped_column(default=utcnow)
    updated_at: Mapped[datetime.datetime | None] = mapped_column(onupdate=utcnow)
