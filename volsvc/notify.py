"""Notifications, in the words of Cinder's: sent once what they tell is durable.

Fields that meters and event pipelines read are there by their names and never left out, also where this service has
nothing to put into them: `volume_attachment[0].instance_uuid` is the server (or `.server_id`: Ceilometer reads both),
`glance_metadata[?key=image_id].value` the image.  What `.error` ends also has why, as the volume's owner is told it.
Connections are not for publishing: they hold credentials.
"""
from sqlalchemy import event

from svckit.db import utcnow
from volsvc.db import attachments

GIB = 1024 ** 3
_SHOWN = ('id', 'volume_id', 'instance_uuid', 'attached_host', 'mountpoint', 'attach_status', 'attach_mode')


def volume(session, messaging, what: str, row, who, **more) -> None:
    """`volume.<what>`, such as resize.end, about a volume as it is now, when the transaction has committed.

    `who` asked for it: a request's context or an operation.  `more`: what the row does not say, or not yet.
    """
    if messaging.silent:
        return
    payload = {
        'tenant_id': row.project_id, 'user_id': row.user_id, 'volume_id': row.id, 'volume_type': row.volume_type_id,
        'display_name': row.name, 'launched_at': _text(row.launched_at), 'created_at': _text(row.created_at),
        'status': row.status, 'size': row.size // GIB, 'host': row.host, 'availability_zone': row.availability_zone,
        'snapshot_id': row.snapshot_id, 'metadata': _pairs(row.meta), 'glance_metadata': _pairs(row.image_meta),
        'volume_attachment': [_attachment(one) for one in _attachments(session, what, row)],
        'replication_status': 'disabled', 'replication_extended_status': None, 'replication_driver_data': None,
    } | more
    _send(session, messaging, f'volume.{what}', payload, who, 'volume', row.host)


def snapshot(session, messaging, what: str, row, volume, who, **more) -> None:
    """`snapshot.<what>`, such as create.end, about a snapshot of `volume` as it is now."""
    if messaging.silent:
        return
    payload = {
        'tenant_id': row.project_id, 'user_id': row.user_id, 'availability_zone': volume.availability_zone,
        'volume_id': row.volume_id, 'volume_size': row.size // GIB, 'snapshot_id': row.id, 'display_name': row.name,
        'created_at': _text(row.created_at), 'status': row.status, 'metadata': str(row.meta) if row.meta else '',
        'deleted': 'True' if what == 'delete.end' else '',
    } | more
    _send(session, messaging, f'snapshot.{what}', payload, who, 'snapshot', volume.host)


def _attachments(session, what, row):
    """Those of the row may be older than what is being told."""
    return attachments.of_volume(session, row.id) if what.startswith(('attach.', 'detach.')) else row.attachments


def _attachment(one) -> dict:
    return {**{name: getattr(one, name) for name in _SHOWN}, 'server_id': one.instance_uuid,
            'attach_time': one.attach_time.isoformat() if one.attach_time else None}


def _send(session, messaging, name, payload, who, publisher, host):
    """The publisher is `volume.<host@backend>` or `snapshot.<host@backend>`: pipelines take the host from it."""
    if name.endswith('.error'):
        payload['message'] = payload.setdefault('error', getattr(who, 'error', None))
    publisher = f'{publisher}.{(host or messaging.conf.service.host).partition("#")[0]}'
    asked = {'request_id': who.request_id, 'project_id': who.project_id, 'user_id': who.user_id}

    def tell(session):
        if not session.in_nested_transaction():         # else only a savepoint was kept
            messaging.notify(name, payload, asked, publisher)
    event.listen(session, 'after_commit', tell)


def _pairs(named) -> list[dict]:
    return [{'key': key, 'value': value} for key, value in (named or {}).items()]


def _text(moment) -> str:
    return (moment or utcnow()).isoformat()
