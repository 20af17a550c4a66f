"""A volume service and an image service that keep their promises in memory, spoken to over HTTP without a wire."""
import hashlib
import io
import json
import re
import urllib.parse
import uuid

import requests
from keystoneauth1 import session as keystone

GIB = 1024 ** 3


class Wire(requests.adapters.BaseAdapter):
    """Hands what `requests` sends to a function (method, path, query, body, headers) -> (status, body[, headers])."""

    def __init__(self, service):
        super().__init__()
        self.service = service

    def send(self, request, **kwargs):
        url = urllib.parse.urlsplit(request.url)
        query = dict(urllib.parse.parse_qsl(url.query))
        body = _body(request)
        status, answer, *more = self.service.answer(request.method, url.path, query, body, request.headers)
        response = requests.Response()
        response.status_code, response.request, response.url = status, request, request.url
        raw = answer if isinstance(answer, bytes) else json.dumps(answer).encode() if answer is not None else b''
        response.raw = io.BytesIO(raw)
        response.headers.update({'Content-Type': 'application/json'}, **(more[0] if more else {}))
        return response

    def close(self):
        pass


def _body(request):
    if request.headers.get('Content-Type') == 'application/octet-stream':
        return b''.join(request.body or ())
    return json.loads(request.body) if request.body else None


def session(service) -> keystone.Session:
    """A keystoneauth session that reaches `service` whatever the URL."""
    wire = requests.Session()
    wire.mount('http://', Wire(service))
    return keystone.Session(session=wire)


class Broken(Exception):
    """Answered with this status instead."""

    def __init__(self, status, message='broken on purpose'):
        super().__init__(message)
        self.status = status


class Service:
    """Routes by regular expression; `broken` maps 'METHOD path-pattern' to a status to answer instead."""

    def __init__(self):
        self.broken = {}
        self.calls = []
        self.before = {}        # 'METHOD pattern' -> function called first

    def answer(self, method, path, query, body, headers):
        self.calls.append((method, path))
        for wanted, status in self.broken.items():
            verb, pattern = wanted.split(' ', 1)
            if verb == method and re.search(pattern, path):
                return status, {'fault': {'code': status, 'message': 'broken on purpose'}}
        for wanted, function in list(self.before.items()):
            verb, pattern = wanted.split(' ', 1)
            if verb == method and re.search(pattern, path):
                function()
        for (verb, pattern), function in self.routes().items():
            match = re.fullmatch(pattern, path)
            if verb == method and match:
                try:
                    return function(*match.groups(), query=query, body=body, headers=headers)
                except Broken as e:
                    return e.status, {'fault': {'code': e.status, 'message': str(e)}}
        return 404, {'itemNotFound': {'code': 404, 'message': f'no {method} {path}'}}


class Volumes(Service):
    """Cinder's volumes and attachments, as far as compute uses them."""

    def __init__(self, protocol='memory', folder=None):
        super().__init__()
        self.protocol, self.folder = protocol, folder
        self.volumes, self.attachments, self.snapshots = {}, {}, {}

    def add(self, size=1, project_id='p1', **values):
        id = str(uuid.uuid4())
        self.volumes[id] = {'id': id, 'size': size, 'status': 'available', 'bootable': 'true', 'multiattach': False,
                            'project_id': project_id, **values}
        return id

    def state(self):
        """What is visible of it."""
        return {'volumes': {id: (v['status'], v['size']) for id, v in self.volumes.items()},
                'attachments': [(a['volume_id'], a['instance'], a['status'], (a['connector'] or {}).get('host'))
                                for a in self.attachments.values()]}

    def routes(self):
        v, a, s = '/v3/[^/]+/volumes', '/v3/[^/]+/attachments', '/v3/[^/]+/snapshots'
        return {('POST', s): self.snap, ('DELETE', f'{s}/([^/]+)'): self.forget_snapshot,
                ('GET', f'{v}/([^/]+)'): self.show, ('POST', v): self.create, ('DELETE', f'{v}/([^/]+)'): self.delete,
                ('GET', a): self.list_attachments, ('POST', a): self.attach, ('PUT', f'{a}/([^/]+)'): self.update,
                ('GET', f'{a}/([^/]+)'): self.show_attachment,
                ('DELETE', f'{a}/([^/]+)'): self.detach, ('POST', f'{a}/([^/]+)/action'): self.act}

    def _volume(self, id):
        if id not in self.volumes:
            raise Broken(404, f'Volume {id} could not be found.')
        return self.volumes[id]

    def show(self, id, headers, **kw):
        volume = self._volume(id)
        if 'admin' not in headers['X-Roles'] and headers['X-Project-Id'] != volume['project_id']:
            raise Broken(404, f'Volume {id} could not be found.')
        return 200, {'volume': volume}

    def create(self, body, headers, **kw):
        wish = body['volume']
        return 202, {'volume': self.volumes[self.add(wish.get('size') or 1, headers['X-Project-Id'])]}

    def snap(self, body, headers, **kw):
        wish = body['snapshot']
        volume = self._volume(wish['volume_id'])
        if volume['status'] != 'available' and not wish['force']:
            raise Broken(400, 'Invalid volume: status must be available')
        id = str(uuid.uuid4())
        self.snapshots[id] = {'id': id, 'status': 'creating', 'size': volume['size'], **wish,
                              'project_id': headers['X-Project-Id']}
        return 202, {'snapshot': self.snapshots[id]}

    def forget_snapshot(self, id, **kw):
        if id not in self.snapshots:
            raise Broken(404, f'Snapshot {id} could not be found.')
        del self.snapshots[id]
        return 202, None

    def delete(self, id, **kw):
        if self._volume(id)['status'] != 'available':
            raise Broken(400, 'Invalid volume: Volume status must be available')
        del self.volumes[id]
        return 202, None

    def list_attachments(self, query, **kw):
        found = [a for a in self.attachments.values() if query.get('instance_id') in (None, a['instance'])
                 and query.get('volume_id') in (None, a['volume_id'])]
        return 200, {'attachments': [{k: a[k] for k in ('id', 'instance', 'volume_id', 'status')} for a in found]}

    def attach(self, body, **kw):
        wish = body['attachment']
        volume = self._volume(wish['volume_uuid'])
        again = any((a['volume_id'], a['instance']) == (volume['id'], wish['instance_uuid'])
                    for a in self.attachments.values())
        if volume['status'] != 'available' and not volume['multiattach'] and not again:
            raise Broken(400, f"Invalid volume: Volume {volume['id']} status must be available or downloading")
        if not again:
            volume['status'] = 'reserved'
        id = str(uuid.uuid4())
        self.attachments[id] = {'id': id, 'instance': wish['instance_uuid'], 'volume_id': volume['id'],
                                'status': 'reserved', 'connector': None}
        if wish.get('connector'):
            return self._connect(id, wish['connector'])
        return 200, {'attachment': {**self.attachments[id], 'connection_info': {}}}

    def _attachment(self, id):
        if id not in self.attachments:
            raise Broken(404, f'Volume attachment could not be found with filter: attachment_id = {id}.')
        return self.attachments[id]

    def update(self, id, body, **kw):
        attachment = self._attachment(id)
        others = [a for a in self.attachments.values() if a['volume_id'] == attachment['volume_id']
                  and a['connector'] and a['id'] != id]
        if others and not self.volumes[attachment['volume_id']]['multiattach']:
            raise Broken(409, f"duplicate connectors detected on volume {attachment['volume_id']}")
        return self._connect(id, body['attachment']['connector'])

    def show_attachment(self, id, **kw):
        attachment = self._attachment(id)
        return 200, {'attachment': {**attachment, 'connection_info': attachment.get('connection_info') or {}}}

    def _connect(self, id, connector):
        attachment = self._attachment(id)
        attachment |= {'connector': connector, 'status': 'attaching'}
        volume = self.volumes[attachment['volume_id']]
        if volume['status'] != 'in-use':
            volume['status'] = 'attaching'
        info = {'name': f"volume-{volume['id']}"} if self.protocol == 'memory' else {
            'device_path': f"{self.folder}/volume-{volume['id']}"}
        attachment['connection_info'] = {
            'driver_volume_type': self.protocol, 'access_mode': 'rw', 'encrypted': False, 'attachment_id': id, **info}
        return 200, {'attachment': attachment}

    def act(self, id, body, **kw):
        attachment = self._attachment(id)
        attachment['status'] = 'attached'
        self.volumes[attachment['volume_id']]['status'] = 'in-use'
        return 204, None

    def detach(self, id, **kw):
        attachment = self._attachment(id)
        del self.attachments[id]
        left = {a['status'] for a in self.attachments.values() if a['volume_id'] == attachment['volume_id']}
        if 'attached' not in left:
            status = 'attaching' if 'attaching' in left else 'reserved' if left else 'available'
            self.volumes[attachment['volume_id']]['status'] = status
        return 200, {'attachments': []}


class Images(Service):
    """Glance's images."""

    def __init__(self):
        super().__init__()
        self.images = {}

    def add(self, data=b'image', **values):
        id = str(uuid.uuid4())
        self.images[id] = ({'id': id, 'status': 'active', 'disk_format': 'raw', 'min_disk': 0, 'min_ram': 0,
                            'size': len(data), **values}, data)
        return id

    def state(self):
        """What is visible of it."""
        return {id: ({**image, 'id': None}, hashlib.sha256(data).hexdigest()) for id, (image, data) in
                self.images.items()}

    def routes(self):
        one = '/v2/images/([^/]+)'
        return {('GET', one): self.show, ('GET', f'{one}/file'): self.data, ('POST', '/v2/images'): self.make,
                ('PUT', f'{one}/file'): self.upload, ('PATCH', one): self.change, ('DELETE', one): self.remove,
                ('GET', '/v2/images'): self.named}

    def _image(self, id):
        if id not in self.images:
            raise Broken(404, 'No image found with ID')
        return self.images[id][0]

    def show(self, id, **kw):
        return 200, self._image(id)

    def named(self, query, **kw):
        return 200, {'images': [image for image, _ in self.images.values() if image.get('name') == query['name']]}

    def make(self, body, **kw):
        if body['id'] in self.images:
            raise Broken(409, 'Image ID already exists!')
        self.images[body['id']] = ({'min_disk': 0, 'min_ram': 0, 'size': None, **body, 'status': 'queued'}, b'')
        return 201, self.images[body['id']][0]

    def upload(self, id, body, **kw):
        image = self._image(id)
        if image['status'] != 'queued':
            raise Broken(409, 'Image has data')
        checksum = hashlib.md5(body, usedforsecurity=False).hexdigest()
        self.images[id] = (image | {'status': 'active', 'size': len(body), 'checksum': checksum}, body)
        return 204, None

    def change(self, id, body, **kw):
        for change in body:
            self._image(id)[change['path'][1:]] = change['value']
        return 200, self._image(id)

    def remove(self, id, **kw):
        if self._image(id).get('protected'):
            raise Broken(403, 'The image is protected')
        del self.images[id]
        return 204, None

    def data(self, id, **kw):
        return 200, self.images[id][1]
