"""The whole API: path, method, handler."""
import functools

from computesvc import metrics
from computesvc.api import (
    aggregates,
    availability_zones,
    extensions,
    flavors,
    hypervisors,
    instance_actions,
    keypairs,
    migrations,
    moves,
    operations,
    os_snapshots,
    os_volumes,
    quota_sets,
    server_actions,
    server_external_events,
    server_metadata,
    server_tags,
    servers,
    services,
    shelving,
    volume_attachments,
)
from computesvc.api.versions import VERSIONS
from svckit import web
from svckit.web.handler import actions

SERVER_ACTIONS = actions({
    'os-start': server_actions.start, 'os-stop': server_actions.stop, 'reboot': server_actions.reboot,
    'pause': server_actions.pause, 'unpause': server_actions.unpause,
    'os-getConsoleOutput': server_actions.console_output, 'lock': server_actions.lock,
    'unlock': server_actions.unlock, 'os-resetState': server_actions.reset_state,
    'forceDelete': server_actions.force_delete,
    'shelve': shelving.shelve, 'shelveOffload': shelving.offload, 'unshelve': shelving.unshelve,
    'createImage': shelving.create,
    'resize': moves.resize, 'migrate': moves.migrate, 'confirmResize': moves.confirm, 'revertResize': moves.revert,
})

_ROUTES = {
    '/servers': {'GET': servers.index, 'POST': servers.create},
    '/servers/detail': {'GET': servers.detail},
    '/servers/{server_id}': {'GET': servers.show, 'PUT': servers.update, 'DELETE': servers.delete},
    '/servers/{server_id}/action': {'POST': SERVER_ACTIONS},
    '/servers/{server_id}/ips': {'GET': servers.addresses},
    '/servers/{server_id}/metadata': {
        'GET': server_metadata.index, 'POST': server_metadata.create, 'PUT': server_metadata.replace},
    '/servers/{server_id}/metadata/{key}': {
        'GET': server_metadata.show, 'PUT': server_metadata.update, 'DELETE': server_metadata.delete},
    '/servers/{server_id}/tags': {
        'GET': server_tags.index, 'PUT': server_tags.replace, 'DELETE': server_tags.clear},
    '/servers/{server_id}/tags/{tag}': {
        'GET': server_tags.show, 'PUT': server_tags.update, 'DELETE': server_tags.delete},
    '/servers/{server_id}/os-volume_attachments': {'GET': volume_attachments.index, 'POST': volume_attachments.create},
    '/servers/{server_id}/os-volume_attachments/{volume_id}': {
        'GET': volume_attachments.show, 'PUT': volume_attachments.update, 'DELETE': volume_attachments.delete},
    '/servers/{server_id}/os-instance-actions': {'GET': instance_actions.index},
    '/servers/{server_id}/os-instance-actions/{request_id}': {'GET': instance_actions.show},
    '/servers/{server_id}/operations': {'GET': operations.index},
    '/servers/{server_id}/operations/{operation_id}': {'GET': operations.show},
    '/servers/{server_id}/migrations': {'GET': migrations.of_server},
    '/servers/{server_id}/migrations/{migration_id}': {'GET': migrations.show},
    '/os-migrations': {'GET': migrations.index},
    '/os-volumes': {'GET': os_volumes.index, 'POST': os_volumes.create},
    '/os-volumes/detail': {'GET': os_volumes.detail},
    '/os-volumes/{volume_id}': {'GET': os_volumes.show, 'DELETE': os_volumes.delete},
    '/os-volumes/{volume_id}/action': {'POST': os_volumes.ACTION},
    '/os-snapshots': {'GET': os_snapshots.index, 'POST': os_snapshots.create},
    '/os-snapshots/detail': {'GET': os_snapshots.detail},
    '/os-snapshots/{snapshot_id}': {'GET': os_snapshots.show, 'DELETE': os_snapshots.delete},
    '/os-server-external-events': {'POST': server_external_events.create},
    '/flavors': {'GET': flavors.index, 'POST': flavors.create},
    '/flavors/detail': {'GET': flavors.detail},
    '/flavors/{flavor_id}': {'GET': flavors.show, 'PUT': flavors.update, 'DELETE': flavors.delete},
    '/flavors/{flavor_id}/os-flavor-access': {'GET': flavors.access},
    '/flavors/{flavor_id}/os-extra_specs': {'GET': flavors.specs_index, 'POST': flavors.specs_create},
    '/flavors/{flavor_id}/os-extra_specs/{key}': {
        'GET': flavors.specs_show, 'PUT': flavors.specs_update, 'DELETE': flavors.specs_delete},
    '/os-services': {'GET': services.index},
    '/os-services/{service_id}': {'PUT': services.update, 'DELETE': services.delete},
    '/os-hypervisors': {'GET': hypervisors.index},
    '/os-hypervisors/detail': {'GET': hypervisors.detail},
    '/os-hypervisors/statistics': {'GET': hypervisors.statistics},
    '/os-hypervisors/{hypervisor_id}': {'GET': hypervisors.show},
    '/os-hypervisors/{hypervisor_id}/uptime': {'GET': hypervisors.uptime},
    '/os-hypervisors/{hypervisor_id}/servers': {'GET': hypervisors.of_servers},
    '/os-hypervisors/{hypervisor_id}/search': {'GET': hypervisors.search},
    '/os-hypervisors/{hypervisor_id}/capabilities': {'GET': hypervisors.capabilities},
    '/os-availability-zone': {'GET': availability_zones.index},
    '/os-availability-zone/detail': {'GET': availability_zones.detail},
    '/os-aggregates': {'GET': aggregates.index},
    '/os-server-groups': {'GET': aggregates.server_groups},
    '/limits': {'GET': quota_sets.limits},
    '/os-quota-sets/{id}': {'GET': quota_sets.show, 'PUT': quota_sets.update, 'DELETE': quota_sets.delete},
    '/os-quota-sets/{id}/defaults': {'GET': quota_sets.defaults},
    '/os-quota-sets/{id}/detail': {'GET': quota_sets.detail},
    '/os-quota-class-sets/{name}': {'GET': quota_sets.show_class, 'PUT': quota_sets.update_class},
    '/os-keypairs': {'GET': keypairs.index, 'POST': keypairs.create},
    '/os-keypairs/{name}': {'GET': keypairs.show, 'DELETE': keypairs.delete},
    '/extensions': {'GET': extensions.index},
    '/extensions/{alias}': {'GET': extensions.show},
}
# With or without the project in the path, as in Nova.
ROUTES = {'/v2.1/{project_id}' + path: methods for path, methods in _ROUTES.items()}


def application(service):
    return web.application(service, ROUTES, VERSIONS, collectors=[functools.partial(metrics.families, service)])
