"""Attachments as answers show them."""


def summary(attachment) -> dict:
    """What a list in short shows."""
    return {'id': attachment.id, 'status': attachment.attach_status, 'instance': attachment.instance_uuid,
            'volume_id': attachment.volume_id}


def detail(attachment) -> dict:
    """An attachment in full."""
    return summary(attachment) | {
        'attached_at': attachment.attach_time or '', 'detached_at': '', 'attach_mode': attachment.attach_mode,
        'connection_info': connection(attachment)}


def nested(attachment) -> dict:
    """What a host needs to reach the volume, as os-initialize_connection has it: the data of the protocol below `data`.

    Source: os-brick reads `driver_volume_type`, `data` and, at both places, `enforce_multipath`.
    """
    found, multipath = attachment.connection_info, bool(attachment.connector.get('enforce_multipath'))
    return {'driver_volume_type': found.get('driver_volume_type'), 'enforce_multipath': multipath,
            'data': {'qos_specs': None, **found.get('data', {}), 'enforce_multipath': multipath}}


def connection(attachment) -> dict:
    """What a host needs to reach the volume, in Cinder's flat form; empty until it was connected.

    Source: os-brick's and Nova's reading of `attachment.connection_info`: the data
    of the protocol lie beside `driver_volume_type`.
    """
    found = attachment.connection_info
    if not found:
        return {}
    return {**found.get('data', {}), 'driver_volume_type': found.get('driver_volume_type'),
            'attachment_id': attachment.id}
