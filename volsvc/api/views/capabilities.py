"""What a backend can do, as answers show it."""

# Extra specs of types that choose a backend by what it can do: title, kind, what for.
_SPECS = {
    'volume_backend_name': ('Backend', 'string', 'The name that the backend has in its configuration.'),
    'storage_protocol': ('Protocol', 'string', 'How hosts reach its volumes.'),
    'thin_provisioning_support': ('Thin volumes', 'boolean', 'Volumes take the room of what was written to them.'),
    'multiattach': ('Several servers', 'boolean', 'Several servers may have a volume at once.'),
    'online_extend_support': ('Growth in use', 'boolean', 'Volumes grow while servers use them.'),
}


def detail(service) -> dict:
    """`service` is of the services table."""
    known = service.capabilities
    return {
        'namespace': f'OS::Storage::Capabilities::{service.host}', 'display_name': None, 'description': None,
        'visibility': None, 'replication_targets': [],
        **{name: known.get(name) for name in ('vendor_name', 'volume_backend_name', 'pool_name', 'driver_version',
                                              'storage_protocol')},
        'properties': {key: {'title': title, 'type': kind, 'description': description}
                       for key, (title, kind, description) in _SPECS.items()}}
