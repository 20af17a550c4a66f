"""The catalogue: which service answers where."""
import uuid

REGION = 'RegionOne'
INTERFACES = ('public', 'internal', 'admin')
# Ids must not change from start to start, and nothing else needs to be kept for it.
_SPACE = uuid.UUID('6f0c3f0e-6a53-4b5b-9d2b-0d0d3c9e2f11')


class Catalog:
    """Empty at first: where a service answers is known once it listens."""

    def __init__(self):
        self.services, self.endpoints = [], []
        self.regions = [{'id': REGION, 'description': '', 'parent_region_id': None}]

    def offer(self, type_: str, name: str, url: str) -> None:
        """From now on tokens say that this service is at `url`.

        '{project_id}' in it stands for the project of the token.
        """
        self.services.append({'id': _id(type_), 'type': type_, 'name': name, 'enabled': True, 'description': ''})
        self.endpoints.extend(
            {'id': _id(type_, interface), 'service_id': _id(type_), 'interface': interface, 'enabled': True,
             'region': REGION, 'region_id': REGION, 'url': url} for interface in INTERFACES)

    def of(self, project_id: str) -> list[dict]:
        """As it stands in a token of that project."""
        return [{'id': service['id'], 'type': service['type'], 'name': service['name'],
                 'endpoints': [_endpoint(row, project_id) for row in self.endpoints
                               if row['service_id'] == service['id']]}
                for service in self.services]


def _endpoint(row, project_id):
    return {'id': row['id'], 'interface': row['interface'], 'region': row['region'],
            'region_id': row['region_id'], 'url': row['url'].replace('{project_id}', project_id)}


def _id(*parts) -> str:
    return uuid.uuid5(_SPACE, '/'.join(parts)).hex
