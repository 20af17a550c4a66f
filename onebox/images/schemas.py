"""JSON schemas of an image and of a list of them, as the API itself offers them."""
from onebox.images.changes import CONTAINER_FORMATS, DISK_FORMATS


def _text(description, nullable=True, **more):
    return {'type': ['null', 'string'] if nullable else 'string', 'description': description, **more}


def _told(description, nullable=True, **more):
    """What nobody can set."""
    return _text(description, nullable, readOnly=True, **more)


IMAGE = {
    'name': 'image',
    'additionalProperties': {'type': 'string'},
    'links': [{'rel': 'self', 'href': '{self}'}, {'rel': 'enclosure', 'href': '{file}'},
              {'rel': 'describedby', 'href': '{schema}'}],
    'properties': {
        'id': _text('An identifier for the image', nullable=False),
        'name': _text('Descriptive name for the image', maxLength=255),
        'status': _told('Status of the image', nullable=False,
                        enum=['queued', 'saving', 'active', 'killed', 'deleted', 'deactivated']),
        'visibility': _text('Scope of image accessibility', nullable=False,
                            enum=['community', 'public', 'private', 'shared']),
        'owner': _text('Owner of the image'),
        'disk_format': _text('Format of the disk', enum=[None, *DISK_FORMATS]),
        'container_format': _text('Format of the container', enum=[None, *CONTAINER_FORMATS]),
        'checksum': _told('MD5 hash of the image contents.'),
        'os_hash_algo': _told('Algorithm of os_hash_value'),
        'os_hash_value': _told('Hexdigest of the image contents by that algorithm'),
        'created_at': _told('Date and time of image registration', nullable=False),
        'updated_at': _told('Date and time of the last image modification', nullable=False),
        'file': _told('URL for the image file', nullable=False),
        'self': _told('URL of the image', nullable=False),
        'schema': _told('URL of the schema', nullable=False),
        'size': {'type': ['null', 'integer'], 'description': 'Size of image file in bytes', 'readOnly': True},
        'virtual_size': {'type': ['null', 'integer'], 'description': 'Virtual size in bytes', 'readOnly': True},
        'min_disk': {'type': 'integer', 'description': 'GiB of disk space required to boot'},
        'min_ram': {'type': 'integer', 'description': 'MiB of memory required to boot'},
        'protected': {'type': 'boolean', 'description': 'If true, cannot be deleted'},
        'os_hidden': {'type': 'boolean', 'description': 'If true, not in default lists'},
        'tags': {'type': 'array', 'items': {'type': 'string', 'maxLength': 255}, 'description': 'Tags of the image'},
    },
}
IMAGES = {
    'name': 'images',
    'links': [{'rel': 'first', 'href': '{first}'}, {'rel': 'next', 'href': '{next}'},
              {'rel': 'describedby', 'href': '{schema}'}],
    'properties': {'images': {'type': 'array', 'items': IMAGE},
                   'first': {'type': 'string'}, 'next': {'type': 'string'}, 'schema': {'type': 'string'}},
}
