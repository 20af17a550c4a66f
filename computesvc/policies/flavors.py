"""Policies of flavors."""
from computesvc.policies.base import ADMIN, ANYONE, rule

SHOW = 'os_compute_api:flavors'
CREATE = 'os_compute_api:os-flavor-manage:create'
UPDATE = 'os_compute_api:os-flavor-manage:update'
DELETE = 'os_compute_api:os-flavor-manage:delete'
ACCESS = 'os_compute_api:os-flavor-access'
SPECS_INDEX = 'os_compute_api:os-flavor-extra-specs:index'
SPECS_SHOW = 'os_compute_api:os-flavor-extra-specs:show'
SPECS_CREATE = 'os_compute_api:os-flavor-extra-specs:create'
SPECS_UPDATE = 'os_compute_api:os-flavor-extra-specs:update'
SPECS_DELETE = 'os_compute_api:os-flavor-extra-specs:delete'

_SPECS = '/flavors/{flavor_id}/os-extra_specs'

RULES = [
    rule(SHOW, ANYONE, 'List and show flavors.', 'GET /flavors', 'GET /flavors/detail', 'GET /flavors/{flavor_id}'),
    rule(CREATE, ADMIN, 'Create a flavor.', 'POST /flavors'),
    rule(UPDATE, ADMIN, 'Change the description of a flavor.', 'PUT /flavors/{flavor_id}'),
    rule(DELETE, ADMIN, 'Delete a flavor.', 'DELETE /flavors/{flavor_id}'),
    rule(ACCESS, ADMIN, 'List who may use a flavor.', 'GET /flavors/{flavor_id}/os-flavor-access'),
    rule(SPECS_INDEX, ANYONE, 'List the extra specs of a flavor.', f'GET {_SPECS}'),
    rule(SPECS_SHOW, ANYONE, 'Show an extra spec of a flavor.', f'GET {_SPECS}/{{key}}'),
    rule(SPECS_CREATE, ADMIN, 'Add extra specs to a flavor.', f'POST {_SPECS}'),
    rule(SPECS_UPDATE, ADMIN, 'Set an extra spec of a flavor.', f'PUT {_SPECS}/{{key}}'),
    rule(SPECS_DELETE, ADMIN, 'Remove an extra spec of a flavor.', f'DELETE {_SPECS}/{{key}}'),
]
