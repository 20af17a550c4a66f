"""Volume types as answers show them."""
from volsvc.policies import types as policies
from volsvc.policies import types_extra_specs


def detail(context, kind) -> dict:
    """A type, with as much of it as the context may see."""
    shown = {'id': kind.id, 'name': kind.name, 'is_public': kind.is_public, 'description': kind.description}
    if context.can(policies.ACCESS):
        shown['os-volume-type-access:is_public'] = kind.is_public
    if context.can(policies.EXTRA_SPECS):
        shown['extra_specs'] = extra_specs(context, kind)
    if context.can(policies.QOS):
        shown['qos_specs_id'] = None
    return shown


def encryption(kind) -> dict:
    """How volumes of a type are encrypted; {} if they are not."""
    if not kind.encryption:
        return {}
    return {**kind.encryption, 'volume_type_id': kind.id, 'deleted': False, 'deleted_at': None}


def extra_specs(context, kind) -> dict:
    """All extra specs, or those that users may know."""
    if context.can(types_extra_specs.READ_SENSITIVE):
        return kind.extra_specs
    return {name: kind.extra_specs[name] for name in types_extra_specs.USER_VISIBLE if name in kind.extra_specs}
