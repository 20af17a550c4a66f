"""Volumes as answers show them."""
from volsvc.api import versions
from volsvc.api.views import links
from volsvc.policies import volume_metadata
from volsvc.policies import volumes as policies

GIB = 1024 ** 3
_ATTRIBUTES = (policies.HOST_ATTRIBUTE, policies.TENANT_ATTRIBUTE, policies.MIGRATION_ATTRIBUTE,
               volume_metadata.IMAGE_SHOW)


def summary(req, volume) -> dict:
    """The name and links of a volume."""
    return {'id': volume.id, 'name': volume.name, 'links': links.to(req, 'volumes', volume.id)}


class Details:
    """Volumes in full, as one request may see them.

    `services`: host@backend -> its service, asked for by microversions that show it.
    What policy allows is asked once for each project and user, what a place has once for each place, not for each
    volume.
    """

    def __init__(self, req, services: dict):
        self._req, self._services, self._allowed, self._by_host = req, services, {}, {}
        self._admin = req.context.is_admin
        self._hosts = self._admin or req.context.is_service

    def __call__(self, volume) -> dict:
        shown = {
            'id': volume.id, 'status': volume.status, 'size': volume.size // GIB,
            'availability_zone': volume.availability_zone,
            'created_at': volume.created_at, 'updated_at': volume.updated_at,
            'name': volume.name, 'description': volume.description,
            'volume_type': volume.type_name,
            'snapshot_id': volume.snapshot_id, 'source_volid': volume.source_volid,
            'metadata': _metadata(volume), 'links': links.to(self._req, 'volumes', volume.id),
            'user_id': volume.user_id, 'bootable': 'true' if volume.bootable else 'false', 'encrypted': False,
            'replication_status': None, 'consistencygroup_id': None, 'multiattach': volume.multiattach,
            'attachments': [self._attachment(attachment) for attachment in volume.attachments
                            if attachment.attach_status == 'attached'],
        }
        self._attributes(volume, shown)
        self._later(volume, shown)
        return shown

    def _attachment(self, attachment):
        return {'id': attachment.volume_id, 'attachment_id': attachment.id, 'volume_id': attachment.volume_id,
                'server_id': attachment.instance_uuid,
                'host_name': attachment.attached_host if self._hosts else None,
                'device': attachment.mountpoint, 'attached_at': attachment.attach_time}

    def _attributes(self, volume, shown):
        """What policy decides on."""
        host, tenant, migration, image = self._may_see(volume)
        if host:
            shown['os-vol-host-attr:host'] = volume.host
        if tenant:
            shown['os-vol-tenant-attr:tenant_id'] = volume.project_id
        if migration:
            shown['os-vol-mig-status-attr:migstat'] = shown['os-vol-mig-status-attr:name_id'] = None
        if image and volume.image_meta:
            shown['volume_image_metadata'] = {name: str(value) for name, value in volume.image_meta.items()}

    def _may_see(self, volume):
        owner = volume.project_id, volume.user_id
        if owner not in self._allowed:
            self._allowed[owner] = [self._req.context.can(rule, volume) for rule in _ATTRIBUTES]
        return self._allowed[owner]

    def _later(self, volume, shown):
        """What newer microversions added."""
        if volume.host not in self._by_host:
            self._by_host[volume.host] = self._same(volume.host)
        shown.update(self._by_host[volume.host])
        if self._req.version >= versions.TYPE_ID:
            shown['volume_type_id'] = volume.volume_type_id
        if self._req.version >= versions.CONSUMES_QUOTA:
            shown['consumes_quota'] = True

    def _same(self, host) -> dict:
        """What all volumes of one place have alike."""
        version, shown = self._req.version, {}
        if self._admin:
            shown['migration_status'] = None
        if version >= versions.GROUPS:
            shown['group_id'] = None
        if version >= versions.PROVIDER_ID and self._admin:
            shown['provider_id'] = None
        if version >= versions.SHARED_TARGETS:
            service = self._services.get((host or '').partition('#')[0])
            shown['shared_targets'] = _shared_targets(service, version)
            shown['service_uuid'] = service.uuid if service else None
        if version >= versions.CLUSTER_NAME and self._admin:
            shown['cluster_name'] = None
        return shown


def upload(volume, image: dict) -> dict:
    """The answer to a wish for an image of the volume."""
    return {'id': volume.id, 'updated_at': volume.updated_at, 'status': 'uploading',
            'display_description': volume.description, 'size': volume.size // GIB, 'volume_type': _type(volume.type),
            'image_id': image['id'], 'image_name': image['name'], 'container_format': image['container_format'],
            'disk_format': image['disk_format'], 'visibility': image['visibility'], 'protected': image['protected']}


def totals(count: int, size: int, metadata: dict | None) -> dict:
    """GET /volumes/summary; `size` in bytes."""
    shown = {'total_count': count, 'total_size': size // GIB}
    if metadata is not None:
        shown['metadata'] = metadata
    return {'volume-summary': shown}


def _type(type):
    return type and {'id': type.id, 'name': type.name, 'description': type.description, 'is_public': type.is_public,
                     'created_at': type.created_at, 'updated_at': type.updated_at}


def _metadata(volume):
    return {**volume.meta, 'readonly': 'True'} if volume.readonly else volume.meta


def _shared_targets(service, version):
    """Whether a host must lock a target while it connects; null (unknown, so lock) came with 3.69."""
    known = (service.capabilities if service else {}).get('shared_targets', False)
    return True if known is None and version < versions.SHARED_TARGETS_UNKNOWN else known
