"""Instance actions as answers show them."""
from computesvc.api import versions
from computesvc.api.views.servers import host_id, moment


def action(row, version) -> dict:
    shown = {'action': row.action, 'instance_uuid': row.server_id, 'request_id': row.request_id,
             'user_id': row.user_id, 'project_id': row.project_id, 'start_time': moment(row.start_time),
             'message': row.message}
    if version >= versions.ACTIONS_UPDATED:
        shown['updated_at'] = moment(row.updated_at)
    return shown


def event(row, version, project_id, everything: bool, details: bool, waits_for: str | None) -> dict:
    """`everything`: also what only administrators see."""
    shown = {'event': row.event, 'start_time': moment(row.start_time), 'finish_time': moment(row.finish_time),
             'result': row.result}
    if everything:
        shown['traceback'] = None
    if version >= versions.ACTION_HOSTS:
        shown['hostId'] = host_id(row.host, project_id)
        if everything:
            shown['host'] = row.host
    if version >= versions.ACTION_DETAILS and details:
        shown['details'] = row.details or waits_for
    return shown
