"""The catalogue: which service answers where."""
import uuid

REGION = 'RegionOne'
INTERFACES = ('public', 'internal', 'admin')
# Ids must not change from start to start, and nothing else needs to be kept for it.
_SPACE = uuid.UUID('6f0c3f0e-6a53-4b5b-9d2b-0d0d3c9e2f11')


class Catalog:
    """`services`: [(type, name, url)]; '{project_id}' in a url stands for the token's."""

    def __init__(self, services: list[tuple[str, str, str]]):
        self.services = [{'id': _id(type_), 'type': type_, 'name': name, 'enabled': True, 'description': ''}
                         for type_, name, _ in services]
        self.endpoints = [
            {'id': _id(type_, interface), 'service_id': _id(type_), 'interface': interface, 'enabled': True,
             'region': REGION, 'region_id': REGION, 'url': url}
            for type_, _, url in services for interface in INTERFACES]
        self.regions = [{'id': REGION, 'description': '', 'parent_region_id': None}]

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
