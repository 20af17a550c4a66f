"""iSCSI by the kernel's own target, LIO: a target for each volume, credentials for each of its initiators.

Nothing is kept here.  The kernel remembers what is exported until it restarts; after that `restore()`
makes it again from what the database knows.
"""
import logging
import secrets
import string

from svckit.operations import Refused
from volsvc import privileged
from volsvc.drivers.base import DriverError
from volsvc.privileged import lio

LOG = logging.getLogger(__name__)
LUN = 0
LETTERS = string.ascii_letters + string.digits


class LioTarget:
    """Options: `target_portals`, `target_prefix`.  `group` is the volume group of the volumes."""

    def __init__(self, options, group: str):
        self._portals, self._prefix, self._group = options.target_portals, options.target_prefix, group

    def start(self) -> None:
        """Volumes can be exported; DriverError with a sentence for the operator."""
        try:
            for portal in self._portals:
                lio.address_of(portal)
            lio.iqn(f'{self._prefix}volume-')
            if not self._portals:
                raise privileged.BadArgument('there is none.')
            lio.exports()
        except privileged.BadArgument as error:
            raise DriverError(f'target_portals or target_prefix: {error}') from error
        except (lio.TargetError, privileged.NotPrivileged, OSError) as error:
            raise DriverError(f'{error}: is the kernel module target_core_mod loaded?') from error

    def export(self, volume, connector: dict, mode: str, known: dict | None = None) -> dict:
        """How the initiator of `connector` reaches the volume: 'data' of a connection, as Cinder has it for LIO.

        Asked again, it answers the same.  `known` is such an answer: it is true again afterwards.
        """
        if not connector.get('initiator'):
            raise Refused('The host has no iSCSI initiator: its connector names none.')
        known = known or {}
        target = known.get('target_iqn') or self._name(volume)
        found = self._ask(lio.export, target, self._group, volume.name, volume.id, self._portals,
                          connector['initiator'], known.get('auth_username') or _random(20),
                          privileged.Secret(known.get('auth_password') or _random(32)), not known, mode == 'ro')
        if missing := len(self._portals) - len(found['portals']):
            LOG.warning('Volume %s: at %d of %d portals somebody else listens.', volume.id, missing, len(self._portals))
        portals = list(found['portals'])
        return {'target_discovered': False, 'target_portal': portals[0], 'target_iqn': target, 'target_lun': LUN,
                'target_portals': portals, 'target_iqns': [target] * len(portals),
                'target_luns': [LUN] * len(portals), 'auth_method': 'CHAP', 'auth_username': found['user'],
                'auth_password': str(found['password']), 'volume_id': volume.id, 'access_mode': mode,
                'encrypted': False, 'qos_specs': None, 'cacheable': False, 'discard': found['discard']}

    def unexport(self, volume, connector: dict) -> None:
        """The initiator of `connector` reaches it no more; fine if it never did."""
        if connector.get('initiator'):
            self._ask(lio.unexport, self._name(volume), volume.name, connector['initiator'])

    def remove(self, volume) -> None:
        """Nobody reaches it."""
        self._ask(lio.unexport, self._name(volume), volume.name)

    def _name(self, volume) -> str:
        return self._prefix + volume.name

    def _ask(self, function, *arguments):
        try:
            return function(*arguments)
        except lio.TargetError as error:
            LOG.warning('iSCSI target: %s', error)
            raise DriverError('The storage backend could not change who reaches the volume.') from error
        except privileged.BadArgument as error:
            raise Refused('The connector of the host cannot be used: its names do not follow their grammar.') from error
        except (privileged.NotPrivileged, OSError) as error:
            LOG.error('iSCSI target: %s', error)
            raise DriverError('The storage backend cannot be managed now.') from error


def _random(length: int) -> str:
    return ''.join(secrets.choice(LETTERS) for _ in range(length))
