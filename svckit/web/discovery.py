"""Version documents: the first thing every client asks for, without a token."""


def root(versions, base: str) -> dict:
    """GET /: all versions."""
    return {'versions': [_version(versions, base)]}


def version(versions, base: str) -> dict:
    """GET /v3/ or /v2.1/."""
    described = _version(versions, base)
    return {'version': described} if versions.single else {'versions': [described]}


def _version(versions, base):
    kind = versions.service_types[0]
    return {
        'id': versions.id, 'status': 'CURRENT',
        'version': str(versions.max), 'min_version': str(versions.min), 'updated': versions.updated,
        'links': [{'rel': 'self', 'href': f'{base}{versions.path}/'},
                  {'rel': 'describedby', 'type': 'text/html', 'href': 'https://docs.openstack.org/'}],
        'media-types': [{'base': 'application/json',
                         'type': f'application/vnd.openstack.{kind}+json;version={versions.id.lstrip("v")}'}],
    }
