"""Snapshots as answers show them."""
from volsvc.api import versions
from volsvc.policies import snapshots as policies

GIB = 1024 ** 3


def summary(req, snapshot) -> dict:
    """A snapshot as lists without details show it, which is nearly all."""
    return {'id': snapshot.id, 'created_at': snapshot.created_at, 'updated_at': snapshot.updated_at,
            'name': snapshot.name, 'description': snapshot.description, 'volume_id': snapshot.volume_id,
            'status': snapshot.status, 'size': snapshot.size // GIB, 'metadata': snapshot.meta}


def detail(req, snapshot) -> dict:
    """A snapshot in full, but for what answers to changes leave out."""
    shown = summary(req, snapshot)
    if req.version >= versions.GROUP_SNAPSHOTS:
        shown['group_snapshot_id'] = None
    if req.version >= versions.SNAPSHOT_USER:
        shown['user_id'] = snapshot.user_id
    if req.version >= versions.CONSUMES_QUOTA:
        shown['consumes_quota'] = True
    return shown


class Extended:
    """Snapshots in full, as far as one request may see them; policy is asked once for each project and user."""

    def __init__(self, req):
        self._req, self._allowed = req, {}

    def __call__(self, snapshot) -> dict:
        shown = detail(self._req, snapshot)
        owner = snapshot.project_id, snapshot.user_id
        if owner not in self._allowed:
            self._allowed[owner] = self._req.context.can(policies.EXTENDED_ATTRIBUTES, snapshot)
        if self._allowed[owner]:
            shown['os-extended-snapshot-attributes:project_id'] = snapshot.project_id
            shown['os-extended-snapshot-attributes:progress'] = f'{snapshot.progress}%'
        return shown
