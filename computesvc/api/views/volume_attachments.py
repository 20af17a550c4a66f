"""Volumes on servers as answers show them."""
from computesvc.api import versions


def shown(attachment, version) -> dict:
    view = {'volumeId': attachment.volume_id, 'serverId': attachment.server_id, 'device': attachment.device}
    if version < versions.ATTACHMENT_IDS:
        view['id'] = attachment.volume_id
    if version >= versions.ATTACHMENT_TAGS:
        view['tag'] = attachment.tag
    if version >= versions.ATTACHMENT_DELETE:
        view['delete_on_termination'] = attachment.delete_on_termination
    if version >= versions.ATTACHMENT_IDS:
        view |= {'attachment_id': attachment.attachment_id, 'bdm_uuid': attachment.id}
    return view


def created(attachment, version) -> dict:
    """The answer to an attach never took up 2.89, in Nova either."""
    return shown(attachment, min(version, versions.ATTACHMENT_DELETE)) | {'id': attachment.volume_id}
