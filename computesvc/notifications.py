"""What computesvc publishes for meters: compute.instance.<verb>.end, with what the operation was about."""


def send(messaging, verb: str, op) -> None:
    messaging.notify(f'compute.instance.{verb}.end', payload(op))


def payload(op) -> dict:
    """Ids only: never parameters or notes, which may hold credentials."""
    server_id = (op.resource or '').removeprefix('server:')
    found = {'instance_id': server_id, 'tenant_id': op.project_id, 'user_id': op.user_id,
             'request_id': op.request_id}
    volume_id = op.params.get('volume_id') or (op.params.get('attachment') or {}).get('volume_id')
    return found | ({'volume_id': volume_id} if volume_id else {}) | ({'error': op.error} if op.error else {})
