"""Images of servers whose root is a volume: a snapshot of each of their volumes, and an image without data that
names these.  A server made from it gets volumes made from the snapshots.

Made at once and in the user's name, as in Nova: a snapshot belongs to whoever asks for it.
"""
import contextlib
import json

from computesvc.db import actions, attachments
from svckit.db import new_id

MAPPING, VERSION = 'block_device_mapping', 'bdm_v2'     # the properties by which clouds find the snapshots


def make(context, server, name: str, metadata: dict) -> str:
    """The image's id.  Raises what the volume service or the image service says; then nothing is left behind."""
    with context.db.reader() as session:
        volumes = [a for a in attachments.of_server(session, server.id) if a.state == 'attached']
    id = new_id()
    try:
        with contextlib.ExitStack() as undo:
            entries = [_snapshot(context, undo, volume, name) for volume in volumes]
            context.service.images.create(context, {
                **metadata, 'id': id, 'name': name, 'visibility': 'private', 'disk_format': 'raw',
                'container_format': 'bare', 'instance_uuid': server.id, 'user_id': context.user_id or '',
                'image_type': 'snapshot', 'root_device_name': server.root_device,
                MAPPING: json.dumps(entries), VERSION: 'True'})
            undo.pop_all()
    except Exception as e:
        _say(context, server, id, str(e))
        raise
    _say(context, server, id, None)
    return id


def _snapshot(context, undo, volume, name) -> dict:
    """An entry of block_device_mapping_v2; the snapshot goes again should `undo` be needed."""
    made = context.service.volumes.create_snapshot(context, volume.volume_id, True, name=f'snapshot for {name}'[:255])
    undo.callback(context.service.volumes.discard_snapshot, context, made['id'])
    return {'source_type': 'snapshot', 'destination_type': 'volume', 'snapshot_id': made['id'],
            'volume_size': made['size'], 'boot_index': volume.boot_index, 'device_name': volume.device,
            'delete_on_termination': volume.delete_on_termination}


def _say(context, server, image_id, error):
    """As an instance action that is over."""
    subject = f'image:{image_id}'

    def work(session):
        actions.begin(session, context, server, 'createImage', 'api_snapshot_instance', subject)
        actions.finish(session, subject, error)
    context.db.run(work)
