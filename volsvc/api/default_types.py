"""The types of volumes that are made without one, where a project has chosen its own."""
from svckit.web import handler
from volsvc import errors
from volsvc.api import scope, versions
from volsvc.api.schemas import default_types as schemas
from volsvc.db import types
from volsvc.policies import default_types as policies


@handler(min=versions.DEFAULT_TYPES)
def index(req):
    """Every project that has chosen one, with its type."""
    req.context.authorize(policies.GET_ALL)
    with req.context.db.reader() as session:
        return {'default_types': [_shown(row.project_id, row.volume_type_id) for row in types.chosen(session)]}


@handler(min=versions.DEFAULT_TYPES)
def show(req, target_id):
    """The type that a project has chosen."""
    req.context.authorize(policies.GET, scope.owned_by(target_id))
    with req.context.db.reader() as session:
        row = types.chosen_by(session, target_id)
    if row is None:
        raise errors.NotFound(f'Project {target_id} has chosen no volume type.')
    return {'default_type': _shown(row.project_id, row.volume_type_id)}


@handler(body=schemas.SET, min=versions.DEFAULT_TYPES)
def update(req, target_id):
    """Choose one that the project may use, by name or id."""
    req.context.authorize(policies.SET, scope.owned_by(target_id))
    name = req.data['default_type']['volume_type']

    def choose(session):
        try:
            kind = types.for_update(session, types.get(session, name, target_id, by_name=True).id)
        except errors.NotFound:
            raise errors.BadRequest(f'There is no volume type {name} that project {target_id} may use.') from None
        types.choose(session, target_id, kind.id)
        return {'default_type': _shown(target_id, kind.id)}
    return req.context.db.run(choose)


@handler(status=204, min=versions.DEFAULT_TYPES)
def delete(req, target_id):
    """The project's volumes are made of the type that all others have."""
    req.context.authorize(policies.UNSET, scope.owned_by(target_id))
    req.context.db.run(lambda session: types.choose(session, target_id, None))


def _shown(project_id, type_id) -> dict:
    return {'project_id': project_id, 'volume_type_id': type_id}
