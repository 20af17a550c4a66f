"""What a worker looks after besides operations: that hosts reach volumes, and that sizes are as recorded."""
import logging

from sqlalchemy import select

from volsvc.db import attachments, messages
from volsvc.db.models import Attachment, Volume
from volsvc.drivers import base as drivers
from volsvc.operations import connect_attachment

LOG = logging.getLogger(__name__)
GIB = 1024 ** 3
# Somebody is at work on the size of such a volume.
CHANGING = ('creating', 'downloading', 'extending', 'deleting')
# A host reaches the volume by such an attachment.
REACHED = ('attaching', 'attached')


def restore(db, pool: str, driver, only=None, *, ttl: float) -> set[str]:
    """Hosts reach again what they reached of the pool 'host@backend#pool'; returns the attachments that failed.

    `only`: no other attachments than these.  `ttl` is of the message to the owner of a volume that is not there.
    """
    failed = set()
    for id, volume, connector, info in _connected(db, pool):
        if only is not None and id not in only:
            continue
        try:
            driver.restore(volume, connector, info)
            _take_back(db, driver, volume, connector)
        except drivers.VolumeMissing:
            LOG.error('Volume %s is attached to host %s, and the backend does not have it.', volume.id,
                      connector.get('host'))
            _say_lost(db, volume.id, ttl)
        except Exception as error:
            failed.add(id)
            LOG.warning('Volume %s is not, or not wholly, connected to host %s again: %s', volume.id,
                        connector.get('host'), error)
    return failed


def _say_lost(db, id, ttl):
    def work(session):
        if (row := session.get(Volume, id)) is not None:
            messages.tell(session, f'volume:{id}', row.project_id, None, messages.LOST,
                          'The storage backend does not have the volume any more. Ask an operator.', ttl)
    db.run(work)


def _connected(db, pool):
    with db.reader() as session:
        rows = session.execute(select(
            Attachment.id, Volume.id, Volume.size, Attachment.connector, Attachment.connection_info).join(
            Volume, Attachment.volume_id == Volume.id).where(
            Volume.host == pool, Attachment.attach_status.in_(REACHED))).all()
    return [(id, drivers.Volume(volume_id, size), connector, info)
            for id, volume_id, size, connector, info in rows if connector and info]


def _take_back(db, driver, volume, connector):
    """Unless the volume was detached from the host in the very moment."""
    with db.reader() as session:
        left = attachments.of_volume(session, volume.id)
    if not any(one.attach_status in REACHED and connect_attachment.same_host(one.connector, connector, driver.known_by)
               for one in left):
        driver.disconnect(volume, connector)


def grown(db, pool: str, driver) -> dict[str, tuple]:
    """{id: (bytes recorded, bytes found, project)} of volumes that grew behind our back.

    The backend is asked first, so that what an extend did meanwhile is recorded by then.
    """
    found = driver.sizes()
    with db.reader() as session:
        rows = session.execute(select(Volume.id, Volume.size, Volume.project_id).where(
            Volume.host == pool, Volume.status.not_in(CHANGING))).all()
    return {id: (size, found[id], project) for id, size, project in rows if found.get(id, 0) > size}


def tell(session, id: str, size: int, found: int, project: str, ttl: float) -> None:
    """The volume's owner knows, once for each size."""
    messages.tell(session, f'volume:{id}', project, None, messages.GREW,
                  f'The volume has {size // GIB} GiB, but the storage backend holds {found / GIB:.4g} GiB for it: it '
                  'was grown there by hand. Nothing was changed. Extending the volume makes more of it usable.', ttl,
                  'WARNING')
