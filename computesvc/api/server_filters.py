"""Which servers a list shows: the conditions that a query stands for.

Source: what Nova's GET /servers takes, from whom and since which microversion.
"""
import datetime
import json

from oslo_utils import timeutils
from sqlalchemy import and_, or_

from computesvc import errors
from computesvc.api import versions
from computesvc.api.schemas.types import true
from computesvc.api.versions import v
from computesvc.db import lists, states
from computesvc.db.models import Server
from computesvc.policies import servers as policies

TAGS = ('tags', 'tags-any', 'not-tags', 'not-tags-any')
# What everybody may filter by, since when; the rest is for whoever may filter by anything, and passed over for others.
OPEN = dict.fromkeys(('reservation_id', 'name', 'status', 'image', 'flavor', 'ip', 'changes-since'), v(1))
OPEN |= {'ip6': v(5), **dict.fromkeys(TAGS, versions.TAGS), 'changes-before': versions.CHANGES_BEFORE,
          'locked': versions.LOCKED_REASON, 'hostname': versions.HOSTNAME}
OPEN |= dict.fromkeys(('availability_zone', 'config_drive', 'key_name', 'created_at', 'launched_at', 'terminated_at',
                        'power_state', 'task_state', 'vm_state', 'progress', 'user_id'), versions.MORE_FILTERS)

_EQUAL = {'uuid': Server.id, 'instance_uuid': Server.id, 'image': Server.image_id, 'flavor': Server.flavor_id,
          'reservation_id': Server.reservation_id, 'user_id': Server.user_id, 'key_name': Server.key_name,
          'availability_zone': Server.availability_zone, 'host': Server.host, 'node': Server.node,
          'root_device_name': Server.root_device, 'access_ip_v4': Server.access_ip_v4,
          'access_ip_v6': Server.access_ip_v6}
_ONE_OF = {'vm_state': Server.vm_state, 'task_state': Server.task_state}
_MATCH = {'name': Server.name, 'display_name': Server.name, 'hostname': Server.hostname,
          'description': Server.description, 'display_description': Server.description}
_NUMBERS = {'power_state': Server.power_state, 'launch_index': Server.launch_index, 'progress': Server.progress}
_MOMENTS = {'created_at': Server.created_at, 'launched_at': Server.launched_at,
            'terminated_at': Server.terminated_at}


def conditions(req) -> list:
    """Raises BadRequest for a filter that makes no sense, Forbidden for deleted servers asked for by status."""
    query = _allowed(req)
    where = [column == query[name] for name, column in _EQUAL.items() if query.get(name)]
    where += [lists.matches(column, query[name]) for name, column in _MATCH.items() if query.get(name)]
    where += [column.in_(req.query_lists[name]) for name, column in _ONE_OF.items() if query.get(name)]
    where += [column == _number(name, query[name]) for name, column in _NUMBERS.items() if query.get(name)]
    where += [_second(column, moment(name, query[name])) for name, column in _MOMENTS.items() if query.get(name)]
    where += [Server.locked == true(query['locked'])] if 'locked' in query else []
    where += [Server.config_drive == true(query['config_drive'])] if query.get('config_drive') else []
    where += [Server.id.is_(None)] if query.get('ip') or query.get('ip6') else []   # the API knows of no address
    return where + _changed(query) + _lives(req, query) + _tagged(query) + _described(query)


def _allowed(req) -> dict:
    """The query, less what this user may not filter by, or not yet at this version."""
    if req.context.can(policies.ALL_FILTERS):
        known = {name for name, since in OPEN.items() if req.version < since and name in TAGS + ('locked',)}
        return {name: value for name, value in req.query.items() if name not in known}
    return {name: value for name, value in req.query.items() if name in OPEN and req.version >= OPEN[name]}


def _lives(req, query) -> list:
    """Whether deleted servers count, and the statuses asked for."""
    where = [_status(req, req.query_lists['status'])] if 'status' in query else []
    deleted = 'status' in query and {word.upper() for word in req.query_lists['status']} == {'DELETED'}
    if deleted and not req.context.is_admin:
        raise errors.Forbidden('Only administrators may list deleted instances')
    if deleted or true(query.get('deleted', '')):
        return [*where, Server.deleted_at.is_not(None)]
    if 'deleted' in query or not {'changes-since', 'changes-before'} & set(query):
        where.append(Server.deleted_at.is_(None))
    return where


def _status(req, words):
    found = [choice for word in words for choice in states.behind(word)]
    if not found and req.version >= versions.VALID_STATUS:
        raise errors.BadRequest('Invalid status value')
    return or_(Server.id.is_(None), *(_in_state(*choice) for choice in found))


def _in_state(vm_state, tasks, but):
    where = [Server.vm_state == vm_state]
    where += [Server.task_state.in_(tasks)] if tasks is not None else []
    where += [or_(Server.task_state.is_(None), Server.task_state.not_in(but))] if but else []
    return and_(*where)


def _changed(query) -> list:
    changed = lists.either(Server.updated_at, Server.created_at)
    since, before = (moment(name, query[name]) if name in query else None
                     for name in ('changes-since', 'changes-before'))
    if since and before and before < since:
        raise errors.BadRequest('The value of changes-since must be less than or equal to changes-before.')
    return ([changed >= since] if since else []) + ([changed <= before] if before else [])


def _tagged(query) -> list:
    def has(name):
        return [lists.holds(Server.tags, json.dumps(tag)) for tag in query[name].split(',')]
    where = has('tags') if 'tags' in query else []
    where += [or_(*has('tags-any'))] if 'tags-any' in query else []
    where += [~and_(*has('not-tags'))] if 'not-tags' in query else []
    return where + ([~or_(*has('not-tags-any'))] if 'not-tags-any' in query else [])


def _described(query) -> list:
    """metadata={"key": "value"}: each pair is the server's."""
    if not query.get('metadata'):
        return []
    try:
        wanted = json.loads(query['metadata'])
    except ValueError:
        wanted = None
    if not isinstance(wanted, dict):
        raise errors.BadRequest('Invalid filter field: metadata.')
    return [lists.holds(Server.meta, f'{json.dumps(key)}:{json.dumps(value)}') for key, value in wanted.items()]


def _second(column, wanted: datetime.datetime):
    return and_(column >= wanted, column < wanted + datetime.timedelta(seconds=1))


def moment(name: str, text: str) -> datetime.datetime:
    """A moment as clients write it, in UTC without a zone; raises BadRequest."""
    try:
        return timeutils.normalize_time(timeutils.parse_isotime(text))
    except (ValueError, OverflowError):
        raise errors.BadRequest(f'Invalid filter field: {name}.') from None


def _number(name, text) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 9:
        raise errors.BadRequest(f'{name} must be a number.')
    return int(text)
