"""What can be done with a volume: POST /volumes/{volume_id}/action."""
from svckit import operations
from svckit.web import actions, handler
from volsvc import errors
from volsvc.api import scope, versions, volume_connections, volume_images
from volsvc.api.schemas import volume_actions as schemas
from volsvc.api.schemas.types import truth
from volsvc.api.volumes import find
from volsvc.db import volumes
from volsvc.operations import delete_volume, extend_volume, revert_volume
from volsvc.policies import volume_actions as policies
from volsvc.policies import volumes as volume_policies

STATUSES = ('creating', 'available', 'deleting', 'error', 'error_deleting', 'error_managing', 'managing', 'attaching',
            'detaching', 'in-use', 'maintenance', 'restoring-backup', 'error_restoring', 'reserved',
            'awaiting-transfer', 'backing-up', 'error_backing-up', 'error_extending', 'downloading', 'uploading',
            'retyping', 'extending')


@handler(status=202, body=schemas.EXTEND)
def extend(req, volume_id):
    """Grow a volume; one in use keeps serving I/O meanwhile."""
    with req.context.db.direct() as connection:
        volume = volumes.look(connection, volume_id, scope.project(req.context))
    req.context.authorize(policies.EXTEND, volume)
    if volume.status == 'in-use' or any(used.attach_status == 'attached' for used in volume.attachments):
        req.context.authorize(policies.EXTEND_ATTACHED, volume)
    if volume.status == 'error_extending':
        req.context.authorize(policies.EXTEND_ERRORED, volume)
    extend_volume.request(req.context, volume, req.data['os-extend']['new_size'])


@handler(status=202, body=schemas.EXTEND_COMPLETION, min=versions.EXTEND_COMPLETION)
def extend_completion(req, volume_id):
    """A compute service has grown a volume for a backend that cannot: always refused, as those here can."""
    volume = find(req, volume_id)
    req.context.authorize(policies.EXTEND_COMPLETION, volume)
    if volume.status != 'extending':
        raise errors.BadRequest(f'Invalid volume: volume {volume_id} is not being extended.')
    raise errors.BadRequest(f'Invalid volume: the backend of volume {volume_id} extends it, nobody else.')


@handler(status=202, body=schemas.REVERT, min=versions.REVERT)
def revert(req, volume_id):
    """Take a volume back to its latest snapshot."""
    volume = find(req, volume_id)
    req.context.authorize(policies.REVERT, volume)
    revert_volume.request(req.context, volume, req.data['revert'].get('snapshot_id'))


@handler(status=202, body=schemas.RESET_STATUS)
def reset_status(req, volume_id):
    """Write a volume's status by hand; whether that is true is the administrator's business."""
    req.context.authorize(policies.RESET_STATUS)
    volume = find(req, volume_id)
    wanted = req.data['os-reset_status']
    status = (wanted.get('status') or '').lower()
    if wanted.get('status') is not None and status not in STATUSES:
        raise errors.BadRequest(f'{status[:40]!r} is no status of a volume; there are {", ".join(STATUSES)}.')

    def change(session):
        _end_what_goes_on(session, volume.id)
        row = volumes.for_update(session, volume.id)
        if status:
            row.status, row.previous_status = status, None
        if wanted.get('attach_status') == 'detached':
            for attachment in row.attachments:
                session.delete(attachment)
    req.context.db.run(change)


@handler(status=202, body=schemas.FORCE_DELETE)
def force_delete(req, volume_id):
    """Have a volume deleted, whatever its status."""
    volume = find(req, volume_id)
    req.context.authorize(policies.FORCE_DELETE, volume)
    delete_volume.request(req.context, volume, force=True)


@handler(body=schemas.SET_BOOTABLE)
def set_bootable(req, volume_id):
    """Say whether servers can boot from a volume."""
    volume = find(req, volume_id)
    req.context.authorize(volume_policies.UPDATE, volume)
    _write(req, volume, bootable=truth(req.data['os-set_bootable']['bootable']))


@handler(status=202, body=schemas.UPDATE_READONLY)
def update_readonly(req, volume_id):
    """Have servers that get the volume from now on only read it, or write again."""
    volume = find(req, volume_id)
    req.context.authorize(policies.UPDATE_READONLY, volume)
    readonly = truth(req.data['os-update_readonly_flag']['readonly'])
    with req.context.db.transaction() as session:
        volumes.mark(session, volume, 'made read-only' if readonly else 'made writable', ('available',),
                     readonly=readonly)


ACTION = actions({
    'os-extend': extend,
    'os-extend_volume_completion': extend_completion,
    'revert': revert,
    'os-reset_status': reset_status,
    'os-force_delete': force_delete,
    'os-set_bootable': set_bootable,
    'os-update_readonly_flag': update_readonly,
    **volume_connections.ACTIONS,
    **volume_images.ACTIONS,
})


def _write(req, volume, **values):
    def change(session):
        row = volumes.for_update(session, volume.id)
        for name, value in values.items():
            setattr(row, name, value)
    req.context.db.run(change)


def _end_what_goes_on(session, volume_id):
    """One that is stuck is given up with its status; one that runs still writes the status itself."""
    extend_volume.give_up_stuck(session, volume_id)
    live = operations.live(session, f'volume:{volume_id}')
    if live is None:
        return
    if live.state != 'stuck':
        raise errors.Conflict(f'Operation {live.name} {live.id} is at work on the volume; its status can be reset once '
                              'that has ended or is stuck.')
    operations.abandon(session, live.id)
