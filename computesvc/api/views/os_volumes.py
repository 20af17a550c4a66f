"""Volumes and snapshots in the words of Nova's old proxies; the arguments are as Cinder shows them."""


def shown(volume: dict) -> dict:
    return {'id': volume['id'], 'status': volume['status'], 'size': volume['size'],
            'availabilityZone': volume.get('availability_zone'), 'createdAt': volume.get('created_at'),
            'attachments': [_attachment(volume, used) for used in volume.get('attachments', ())[:1]] or [{}],
            'displayName': volume.get('name'), 'displayDescription': volume.get('description'),
            'volumeType': volume.get('volume_type'), 'snapshotId': volume.get('snapshot_id'),
            'metadata': volume.get('metadata') or {}}


def _attachment(volume, used) -> dict:
    """Of several there was only ever the first; one to no server counts as none."""
    if not used.get('server_id'):
        return {}
    where = {'id': volume['id'], 'volumeId': volume['id'], 'serverId': used['server_id']}
    return where | ({'device': used['device']} if used.get('device') else {})


def snapshot(found: dict) -> dict:
    return {'id': found['id'], 'volumeId': found['volume_id'], 'status': found['status'], 'size': found['size'],
            'createdAt': found.get('created_at'), 'displayName': found.get('name'),
            'displayDescription': found.get('description')}
