"""Flavors as answers show them."""
from computesvc.api import versions
from computesvc.api.views import links


def basic(req, flavor) -> dict:
    shown = {'id': flavor.id, 'name': flavor.name, 'links': links.to(req, 'flavors', flavor.id)}
    if req.version >= versions.FLAVOR_DESCRIPTION:
        shown['description'] = flavor.description
    return shown


def full(req, flavor, specs: bool) -> dict:
    """`specs`: the asker may see extra specs."""
    shown = basic(req, flavor) | {
        'ram': flavor.memory_mb, 'disk': flavor.disk_gb, 'vcpus': flavor.vcpus,
        'swap': flavor.swap_mb or (0 if req.version >= versions.STRICT_QUERIES else ''),
        'OS-FLV-EXT-DATA:ephemeral': flavor.ephemeral_gb, 'OS-FLV-DISABLED:disabled': flavor.disabled,
        'os-flavor-access:is_public': flavor.is_public, 'rxtx_factor': flavor.rxtx_factor}
    if req.version >= versions.FLAVOR_EXTRA_SPECS and specs:
        shown['extra_specs'] = flavor.extra_specs
    return shown
