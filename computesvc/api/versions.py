"""Microversions that mean something here; what each of them changed is in history.rst."""
from svckit.web.microversion import Microversion, Versions

VERSIONS = Versions(('compute',), '2.1', '2.96', path='/v2.1', id='v2.1', single=True,
                    legacy_header='X-OpenStack-Nova-API-Version', updated='2013-07-23T11:33:21Z')


def v(minor: int) -> Microversion:
    return Microversion(2, minor)


EXTENDED_ATTRIBUTES = v(3)
LOCKED = v(9)
FORCED_DOWN = v(11)
HOST_STATUS = v(16)
DESCRIPTION = v(19)
DELETED_ACTIONS = v(21)
MIGRATION_TYPES = v(23)
TAGS = v(26)
CPU_INFO_OBJECT = v(28)
NO_PROXIES = v(36)
VALID_STATUS = v(38)
NO_IMAGE_META = v(39)
FLAVOR_IN_SERVER = v(47)
VOLUME_EVENTS = v(51)
UUIDS = v(53)
FLAVOR_DESCRIPTION = v(55)
NO_FILES = v(57)
ACTIONS_UPDATED = v(58)
MIGRATION_PAGES = v(59)
MULTIATTACH = v(60)
FLAVOR_EXTRA_SPECS = v(61)
ACTION_HOSTS = v(62)
TRUSTED_CERTIFICATES = v(63)
CHANGES_BEFORE = v(66)
ATTACHMENT_TAGS = v(70)
SERVER_GROUPS = v(71)
LOCKED_REASON = v(73)
STRICT_QUERIES = v(75)
ATTACHMENT_DELETE = v(79)
MIGRATION_OWNERS = v(80)
MORE_FILTERS = v(83)
ACTION_DETAILS = v(84)
ATTACHMENT_UPDATE = v(85)
NO_HYPERVISOR_NUMBERS = v(88)
ATTACHMENT_IDS = v(89)
HOSTNAME = v(90)
PINNED_ZONE = v(96)
