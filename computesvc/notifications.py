"""What computesvc publishes for meters: compute.instance.<event>, with the fields of Nova's unversioned notifications.

Fields that meters and event pipelines read are there by their names and never left out: a server is known by
`instance_id`, its size by `vcpus`, `memory_mb`, `root_gb`, `ephemeral_gb` and `disk_gb`, its flavor by `instance_type`
(the name) and `instance_flavor_id`.  Parameters and notes of operations are not for publishing: they may hold
credentials.
"""
from sqlalchemy import event as events
from sqlalchemy import select

from computesvc.db.models import Server

PHASES = ('start', 'end', 'error')


def send(ctx, event: str, op) -> None:
    """`compute.instance.<event>`, or <event>.end where it names no phase, about the server of `op` as it is now.

    Within a step that has a session it is sent when the transaction has committed, and not if it does not.
    """
    if ctx.messaging.silent:
        return
    event = event if event.rsplit('.', 1)[-1] in PHASES else f'{event}.end'
    if ctx.session is None:
        with ctx.db.reader() as session:
            publish(ctx.messaging, event, facts(session, op, event))
        return
    found = facts(ctx.session, op, event)
    events.listen(ctx.session, 'after_commit', lambda _: publish(ctx.messaging, event, found), once=True)


def publish(messaging, event: str, payload: dict) -> None:
    """The publisher is `compute.<host>`, as of Nova's: pipelines take the host from it."""
    publisher = f"compute.{payload['host'] or messaging.conf.service.host}"
    messaging.notify(f'compute.instance.{event}', payload, publisher=publisher)


def facts(session, op, event: str) -> dict:
    """The payload: the server as it is in this session, and what the operation was about."""
    server = session.scalar(select(Server).where(Server.id == op.resource.removeprefix('server:'))
                            .execution_options(populate_existing=True))
    return payload(server) | _more(op, event)


def payload(server) -> dict:
    flavor = server.flavor
    return {
        'tenant_id': server.project_id, 'user_id': server.user_id, 'instance_id': server.id,
        'display_name': server.name, 'reservation_id': server.reservation_id, 'hostname': server.hostname,
        'instance_type': flavor['name'], 'instance_type_id': server.flavor_id, 'instance_flavor_id': server.flavor_id,
        'architecture': None, 'memory_mb': server.memory_mb, 'vcpus': server.vcpus, 'root_gb': flavor['disk'],
        'ephemeral_gb': flavor['ephemeral'], 'disk_gb': flavor['disk'] + flavor['ephemeral'],
        'host': server.host, 'node': server.node, 'availability_zone': server.availability_zone, 'cell_name': '',
        'created_at': _text(server.created_at), 'launched_at': _text(server.launched_at),
        'terminated_at': _text(server.terminated_at), 'deleted_at': _text(server.deleted_at),
        'image_ref_url': server.image_id or '', 'os_type': None, 'kernel_id': '', 'ramdisk_id': '',
        'state': server.vm_state, 'state_description': server.task_state or '', 'progress': server.progress or '',
        'access_ip_v4': server.access_ip_v4, 'access_ip_v6': server.access_ip_v6, 'fixed_ips': [],
        'image_meta': {'base_image_ref': server.image_id or ''}, 'metadata': server.meta or {}}


def _more(op, event: str) -> dict:
    found = {'request_id': op.request_id}
    volume_id = op.params.get('volume_id') or (op.params.get('attachment') or {}).get('volume_id')
    if volume_id:
        found['volume_id'] = volume_id
    wanted = op.params.get('new_flavor')
    if wanted and event == 'resize.prep.end':
        found |= {'new_instance_type': wanted['name'], 'new_instance_type_id': wanted['id']}
    if event == 'create.end':
        found['message'] = 'Success'
    if op.error:
        found |= {'message': op.error, 'error': op.error}
    return found


def _text(moment) -> str:
    """Empty where there is none, as in Nova's."""
    return moment.isoformat() if moment else ''
