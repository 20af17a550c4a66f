"""Flavors."""
from oslo_db import exception as db_exc
from sqlalchemy import delete, select, update

from computesvc import errors
from computesvc.db.models import Flavor

DEFAULTS = [('1', 'm1.tiny', 1, 512, 1), ('2', 'm1.small', 1, 2048, 20), ('3', 'm1.medium', 2, 4096, 40),
            ('4', 'm1.large', 4, 8192, 80), ('5', 'm1.xlarge', 8, 16384, 160), ('42', 'm1.nano', 1, 128, 1),
            ('84', 'm1.micro', 1, 192, 1)]
SORTS = {'flavorid': Flavor.id, 'id': Flavor.id, 'name': Flavor.name, 'memory_mb': Flavor.memory_mb,
         'root_gb': Flavor.disk_gb, 'vcpus': Flavor.vcpus, 'ephemeral_gb': Flavor.ephemeral_gb,
         'swap': Flavor.swap_mb, 'created_at': Flavor.created_at, 'updated_at': Flavor.updated_at,
         'rxtx_factor': Flavor.rxtx_factor, 'disabled': Flavor.disabled, 'is_public': Flavor.is_public}


def get(context, id: str) -> Flavor:
    """Raises NotFound, also for one that is not public, except to administrators."""
    with context.db.reader() as session:
        flavor = session.get(Flavor, id)
    if flavor is None or not (flavor.is_public or context.is_admin):
        raise errors.NotFound('Flavor', id)
    return flavor


def facts(flavor) -> dict:
    """The flavor as a server remembers it."""
    return {'id': flavor.id, 'name': flavor.name, 'vcpus': flavor.vcpus, 'ram': flavor.memory_mb,
            'disk': flavor.disk_gb, 'ephemeral': flavor.ephemeral_gb, 'swap': flavor.swap_mb,
            'extra_specs': flavor.extra_specs}


def find(session, public: bool | None, min_disk=0, min_ram=0) -> list[Flavor]:
    """All with at least so many GiB of disk and MiB of memory; `public` None means either kind."""
    query = select(Flavor).where(Flavor.disk_gb >= min_disk, Flavor.memory_mb >= min_ram)
    return list(session.scalars(query if public is None else query.where(Flavor.is_public == public)))


def add(session, flavor: Flavor) -> None:
    """Raises Conflict when the id or the name is taken."""
    session.add(flavor)
    try:
        session.flush()
    except db_exc.DBDuplicateEntry:
        raise errors.Conflict(f'Flavor with ID {flavor.id} or name {flavor.name} already exists.') from None


def change(session, id: str, **values) -> None:
    session.execute(update(Flavor).where(Flavor.id == id).values(**values))


def remove(session, id: str) -> None:
    session.execute(delete(Flavor).where(Flavor.id == id))


def seed(session) -> int:
    """The usual default flavors, unless there are any; returns how many were added."""
    if session.scalar(select(Flavor.id).limit(1)) is not None:
        return 0
    for id, name, vcpus, memory_mb, disk_gb in DEFAULTS:
        session.add(Flavor(id=id, name=name, vcpus=vcpus, memory_mb=memory_mb, disk_gb=disk_gb))
    return len(DEFAULTS)
