"""The volume service, by the Cinder v3 API and nothing but it.

Sizes are bytes here, GiB on the wire.
"""
import logging
import re

from computesvc import errors
from svckit import peer
from svckit.operations import Refused
from svckit.peer import NoAnswer, Refusal

LOG = logging.getLogger(__name__)
VERSION = {'OpenStack-API-Version': 'volume 3.44'}
GIB = 1024 ** 3
ID = re.compile('[0-9a-fA-F-]{32,36}')

__all__ = ['GIB', 'NoAnswer', 'Refusal', 'Volumes']


class Volumes:
    """Raises NoAnswer when the service cannot be asked, Refused when it says no.

    Every method may be repeated.
    """

    def __init__(self, conf, session=None):
        self.peer = peer.Peer(conf, 'cinder', 'computesvc', session)

    def _call(self, method, path, body=None, **kw):
        return self.peer.call(method, path, body, headers=VERSION, **kw)

    # ---------------------------------------------------------------- in a user's name

    def show(self, context, volume_id: str) -> dict:
        """The volume as the user sees it; raises NotFound, Forbidden or Unavailable."""
        return self._as_user(context, volume_id, 'GET', f'/volumes/{volume_id}').json()['volume']

    def all(self, context, limit: int, offset: int) -> list[dict]:
        """The volumes of the user's project, newest first."""
        query = f'limit={limit}&offset={offset}'
        return self._as_user(context, None, 'GET', f'/volumes/detail?{query}').json()['volumes']

    def create(self, context, size_gb: int, *, image_id=None, snapshot_id=None, volume_type=None, zone=None,
               name='', description=None, metadata=None) -> dict:
        """A new volume in the user's project."""
        volume = {'size': size_gb, 'name': name, 'description': description, 'imageRef': image_id,
                  'snapshot_id': snapshot_id, 'volume_type': volume_type, 'availability_zone': zone,
                  'metadata': metadata}
        body = {'volume': {name: value for name, value in volume.items() if value is not None}}
        return self._as_user(context, None, 'POST', '/volumes', body, snapshot_id=snapshot_id).json()['volume']

    def extend(self, context, volume_id: str, size_gb: int) -> None:
        """Have a volume grown to that size."""
        self._as_user(context, volume_id, 'POST', f'/volumes/{volume_id}/action', {'os-extend': {'new_size': size_gb}})

    def remove(self, context, volume_id: str) -> None:
        """Have a volume deleted; raises also if that cannot be."""
        self._as_user(context, volume_id, 'DELETE', f'/volumes/{volume_id}')

    def snapshots(self, context, limit: int, offset: int) -> list[dict]:
        """The snapshots of the user's project, newest first."""
        query = f'limit={limit}&offset={offset}'
        return self._as_user(context, None, 'GET', f'/snapshots/detail?{query}').json()['snapshots']

    def snapshot(self, context, snapshot_id: str) -> dict:
        """The snapshot as the user sees it."""
        return self._as_user(context, None, 'GET', f'/snapshots/{snapshot_id}', snapshot_id=snapshot_id
                             ).json()['snapshot']

    def create_snapshot(self, context, volume_id: str, force: bool, *, name='', description=None) -> dict:
        """A snapshot of the user's volume; `force`: also if it is in use."""
        body = {'snapshot': {'volume_id': volume_id, 'force': force, 'name': name, 'description': description}}
        return self._as_user(context, volume_id, 'POST', '/snapshots', body).json()['snapshot']

    def remove_snapshot(self, context, snapshot_id: str) -> None:
        """Have a snapshot deleted."""
        self._as_user(context, None, 'DELETE', f'/snapshots/{snapshot_id}', snapshot_id=snapshot_id)

    def discard(self, context, volume_id: str) -> None:
        """Have a volume deleted that was made in vain; what cannot be deleted now stays, as the user's own."""
        try:
            self._call('DELETE', f'/volumes/{volume_id}', context=context)
        except (NoAnswer, Refusal) as e:
            LOG.warning('Volume %s was made for a server that is not to be, and stays: %s', volume_id, e)

    def discard_snapshot(self, context, snapshot_id: str) -> None:
        """As discard(), of a snapshot."""
        try:
            self._call('DELETE', f'/snapshots/{snapshot_id}', context=context)
        except (NoAnswer, Refusal) as e:
            LOG.warning('Snapshot %s was made for an image that is not to be, and stays: %s', snapshot_id, e)

    def _as_user(self, context, volume_id, method, path, body=None, snapshot_id=None):
        for kind, id in (('Volume', volume_id), ('Snapshot', snapshot_id)):
            if id is not None and not ID.fullmatch(id):
                raise errors.NotFound(kind, id)         # and never a part of a path
        try:
            return self._call(method, path, body, context=context)
        except NoAnswer as e:
            raise errors.Unavailable(f'The volume service gave no answer: {e}') from e
        except Refusal as e:
            if e.status == 404 and volume_id:
                raise errors.NotFound('Volume', volume_id) from e
            if e.status == 404 and snapshot_id and snapshot_id in str(e):
                raise errors.NotFound('Snapshot', snapshot_id) from e
            if e.status in (403, 413):
                raise errors.Forbidden(str(e)) from e
            raise errors.InvalidVolume(str(e)) from e

    # ---------------------------------------------------------------- as this service

    def get(self, volume_id: str) -> dict | None:
        """The volume, None if there is none."""
        try:
            return self._call('GET', f'/volumes/{volume_id}').json()['volume']
        except Refusal as e:
            return None if e.status == 404 else _refuse(e)

    def size(self, volume_id: str) -> int | None:
        """Its size in bytes, None if there is no such volume."""
        volume = self.get(volume_id)
        return volume and volume['size'] * GIB

    def attachment_ids(self, volume_id: str, server_id: str) -> list[str]:
        """The attachments of a volume to one server."""
        try:
            found = self._call('GET', f'/attachments?all_tenants=1&instance_id={server_id}&volume_id={volume_id}')
        except Refusal as e:
            return [] if e.status == 404 else _refuse(e)
        return [attachment['id'] for attachment in found.json()['attachments']
                if attachment.get('instance', server_id) == server_id
                and attachment.get('volume_id', volume_id) == volume_id]

    def reserve(self, volume_id: str, server_id: str) -> str:
        """Reserve the volume for the server; the attachment's id."""
        return self.reserve_another(volume_id, server_id, ())

    def reserve_another(self, volume_id: str, server_id: str, known_ids) -> str:
        """Reserve for the server what it has already by the attachments `known_ids`; the id of the one more.

        A server on its way to another host has a volume by two.  One that is no known
        one was made by the same call before.
        """
        made = [id for id in self.attachment_ids(volume_id, server_id) if id not in known_ids]
        return made[0] if made else self._reserve(volume_id, server_id)

    def connect_another(self, volume_id: str, server_id: str, connector: dict, known_ids) -> tuple[str, dict]:
        """As reserve_another(), and the volume is exported to one more host; (the attachment's id, the connection).

        In one request: Cinder connects a volume that is connected elsewhere only while
        it makes the attachment, not by a later PUT.
        """
        for id in self.attachment_ids(volume_id, server_id):
            if id in known_ids:
                continue
            found = self._attachment(id)
            if found.get('connection_info') and found['status'] != 'detaching':
                return id, connection(found['connection_info'])
            self.end(id)                # it was reserved, and nobody knows what became of its connection
        made = self._attach(volume_id, server_id, connector)
        return made['id'], connection(made.get('connection_info') or {})

    def _reserve(self, volume_id, server_id) -> str:
        return self._attach(volume_id, server_id, None)['id']

    def _attach(self, volume_id, server_id, connector) -> dict:
        body = {'attachment': {'volume_uuid': volume_id, 'instance_uuid': server_id, 'connector': connector}}
        try:
            return self._call('POST', '/attachments', body).json()['attachment']
        except Refusal as e:
            _refuse(e)

    def _attachment(self, id) -> dict:
        try:
            return self._call('GET', f'/attachments/{id}').json()['attachment']
        except Refusal as e:
            return {} if e.status == 404 else _refuse(e)

    def connect(self, attachment_id: str, connector: dict) -> dict:
        """Have the volume exported to a host; {'driver_volume_type', 'data'}."""
        try:
            answer = self._call('PUT', f'/attachments/{attachment_id}', {'attachment': {'connector': connector}})
        except Refusal as e:
            _refuse(e)
        return connection(answer.json()['attachment'].get('connection_info') or {})

    def complete(self, attachment_id: str) -> None:
        """Say that the server has the volume: it becomes in-use."""
        try:
            self._call('POST', f'/attachments/{attachment_id}/action', {'os-complete': None})
        except Refusal as e:
            _refuse(e)

    def release(self, volume_id: str, server_id: str, attachment_id: str | None = None) -> None:
        """End what the volume has to do with the server; nothing to end is fine."""
        for id in {attachment_id, *self.attachment_ids(volume_id, server_id)} - {None}:
            self.end(id)

    def end(self, attachment_id: str) -> None:
        """End this attachment and no other; one that is gone is fine."""
        try:
            self._call('DELETE', f'/attachments/{attachment_id}')
        except Refusal as e:
            if e.status != 404:
                _refuse(e)

    def end_others(self, volume_id: str, server_id: str, known_ids) -> None:
        """What reserve_another() made is gone, also where nobody was told its id."""
        for id in self.attachment_ids(volume_id, server_id):
            if id not in known_ids:
                self.end(id)

    def delete(self, volume_id: str) -> None:
        """Ask for a volume's deletion; one that is gone or on its way is fine."""
        volume = self.get(volume_id)
        if volume is None or volume['status'] == 'deleting':
            return
        try:
            self._call('DELETE', f'/volumes/{volume_id}')
        except Refusal as e:
            if e.status != 404:
                _refuse(e)


def connection(flat: dict) -> dict:
    """Cinder's flat connection_info as {'driver_volume_type', 'data'}.

    Source: Cinder's attachments API spreads the data over the top level.
    """
    if 'data' in flat:
        return {'driver_volume_type': flat.get('driver_volume_type'), 'data': flat['data']}
    data = {name: value for name, value in flat.items() if name not in ('driver_volume_type', 'attachment_id')}
    return {'driver_volume_type': flat.get('driver_volume_type'), 'data': data}


def _refuse(refusal: Refusal):
    raise Refused(f'Volume service: {refusal}') from refusal
