"""Notifications, in the words of Cinder's: sent once what they tell is durable."""
from sqlalchemy import event

GIB = 1024 ** 3


def volume(session, messaging, what: str, row) -> None:
    """`volume.<what>`, such as resize.end, about a volume as it is now, when the transaction has committed."""
    payload = {
        'tenant_id': row.project_id, 'user_id': row.user_id, 'volume_id': row.id, 'volume_type': row.volume_type_id,
        'display_name': row.name, 'launched_at': _text(row.launched_at), 'created_at': _text(row.created_at),
        'status': row.status, 'size': row.size // GIB, 'host': row.host, 'availability_zone': row.availability_zone,
        'metadata': row.meta,
    }
    _send(session, messaging, f'volume.{what}', payload)


def snapshot(session, messaging, what: str, row, volume) -> None:
    """`snapshot.<what>`, such as create.end, about a snapshot of `volume` as it is now."""
    payload = {
        'tenant_id': row.project_id, 'user_id': row.user_id, 'availability_zone': volume.availability_zone,
        'volume_id': row.volume_id, 'volume_size': row.size // GIB, 'snapshot_id': row.id, 'display_name': row.name,
        'created_at': _text(row.created_at), 'status': row.status, 'metadata': str(row.meta),
        'deleted': 'True' if what == 'delete.end' else '',
    }
    _send(session, messaging, f'snapshot.{what}', payload)


def _send(session, messaging, name, payload):
    event.listen(session, 'after_commit', lambda _: messaging.notify(name, payload), once=True)


def _text(moment):
    return moment.isoformat() if moment else None
