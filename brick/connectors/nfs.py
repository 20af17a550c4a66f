"""Volumes that are files on an NFS share, which os-brick mounts below `mount_point_base`.

Connection data, as Cinder's NFS driver has it: {'export': 'server:/folder', 'name': 'volume-…',
'options': '-o …' or None}. The server grew the file; this host reads its size.
"""

import hashlib
import os

from brick import names
from brick.connectors.base import Path
from brick.connectors.local import LocalConnector, device_size, device_type


class NfsConnector(LocalConnector):
    """See the module. A share stays mounted: other volumes are on it, and mounting costs nothing to keep."""

    protocol = 'nfs'

    def connect(self, data):
        from brick import initiators
        path = self._path(data)
        initiators.mount_nfs(data['export'], (data.get('options') or '').split(), self.mount_point_base)
        return {'path': path, 'type': device_type(path)}

    def disconnect(self, data, device=None):
        self._path(data)

    def paths(self, data):
        path = self._path(data)
        return [Path(path, device_size(path), portal=data['export'])] if os.path.exists(path) else []

    def _path(self, data):
        # The folder is os-brick's choice (RemoteFsClient.get_mount_point).
        share = names.nfs_share(data.get('export')).encode()
        folder = hashlib.md5(share, usedforsecurity=False).hexdigest()
        return os.path.join(self.mount_point_base, folder, names.file_name(data.get('name')))
