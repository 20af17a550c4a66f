"""Microversions that mean something here; what each of them changed is in history.rst."""
from svckit.web.microversion import Microversion, Versions

VERSIONS = Versions(('volume', 'block-storage'), '3.0', '3.71', path='/v3', id='v3.0',
                    updated='2025-03-25T00:00:00Z')


def v(minor: int) -> Microversion:
    """3.<minor>"""
    return Microversion(3, minor)


UPLOAD_PARAMETERS = v(1)
STRICT_BOOTABLE = v(2)
MESSAGES = v(3)
IMAGE_METADATA_FILTER = v(4)
MESSAGE_PAGES = v(5)
CLUSTERS = v(7)
GROUP_FILTER = v(10)
SUMMARY = v(12)
GROUPS = v(13)
GROUP_SNAPSHOTS = v(14)
ETAGS = v(15)
PROVIDER_ID = v(21)
SNAPSHOT_METADATA_FILTER = v(22)
DELETE_FORCE = v(23)
ATTACHMENTS = v(27)
POOL_FILTERS = v(28)
SNAPSHOT_SORT = v(30)
FILTERS_CHECKED = v(31)
RESOURCE_FILTERS = v(33)
LIKE_FILTERS = v(34)
POOL_TYPE_FILTER = v(35)
SUMMARY_METADATA = v(36)
LIMITS_OF_PROJECT = v(39)
REVERT = v(40)
SNAPSHOT_USER = v(41)
ATTACHMENT_COMPLETE = v(44)
COUNT = v(45)
FROM_BACKUP = v(47)
SHARED_TARGETS = v(48)
BACKEND_STATE = v(49)
TYPE_FILTERS = v(52)
STRICT_BODIES = v(53)
ATTACHMENT_MODE = v(54)
TIME_FILTERS = v(60)
CLUSTER_NAME = v(61)
DEFAULT_TYPES = v(62)
TYPE_ID = v(63)
CONSUMES_QUOTA = v(65)
SNAPSHOT_IN_USE = v(66)
SHARED_TARGETS_UNKNOWN = v(69)
EXTEND_COMPLETION = v(71)
