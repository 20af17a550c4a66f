"""os-brick's connectors as they are used here; imported by the first connect, since os-brick is large.

They differ in this: no CHAP secret is among what they know, so none can be logged or be an argument of a program;
the lock that keeps connects apart is the target's, so a portal that is down holds up its own volumes only; and who
connects hears what each portal answered.
"""

import contextlib
import zlib

from os_brick import exception
from os_brick.initiator import linuxscsi
from os_brick.initiator.connectors import iscsi
from os_brick.remotefs import remotefs
from oslo_concurrency import lockutils, processutils
from oslo_config import cfg

from brick import errors, privileged
from brick.execute import execute

_LOCKS = 64             # files; more would stay for ever, one for each target that ever was
# Exit statuses of iscsiadm(8).
_ANSWERS = {4: 'cannot be reached', 5: 'cannot be reached', 8: 'does not answer', 12: 'iscsid does not run',
            19: 'does not know this host or target', 20: 'iscsid does not run', 21: 'has no such target',
            24: 'refuses the CHAP name or secret', 124: 'does not answer'}


class Scsi(linuxscsi.LinuxSCSI):
    """Asks multipathd by its socket; os-brick's own way there is a second privileged daemon."""

    @staticmethod
    def is_multipath_running(root_helper, execute=None):
        return multipathd_runs()

    def _remove_scsi_symlinks(self, devices_names):
        """udev's links are left to udev, which removes them with the device."""


def multipathd_runs():
    try:
        privileged.multipathd(['show', 'status'])
    except (OSError, errors.BrickError):
        return False
    return True


class Iscsi(iscsi.ISCSIConnector):
    """For one connection. `answers` has what each portal said that did not let us in."""

    def __init__(self, multipath, scan_attempts, chap=None):
        super().__init__(None, execute=execute, use_multipath=multipath, device_scan_attempts=scan_attempts)
        self._linuxscsi = Scsi(None, execute=execute)
        self._chap, self.answers = chap, {}

    def supports_multipath(self):
        return multipathd_runs()

    def connect_volume(self, connection_properties):
        self.check_multipath(connection_properties)
        connect = self._connect_multipath_volume if self.use_multipath else self._connect_single_volume
        with self._turn(connection_properties):
            try:
                return connect(connection_properties)
            except Exception:
                self._cleanup_connection(connection_properties, force=True, ignore_errors=True)
                raise

    def disconnect_volume(self, connection_properties, device_info, force=False, ignore_errors=False):
        with self._turn(connection_properties):
            self._cleanup_connection(connection_properties, force=force, ignore_errors=ignore_errors,
                                     device_info=device_info, is_disconnect_call=True)

    @contextlib.contextmanager
    def _turn(self, properties):
        """One process of this host at a time connects to or disconnects from these targets."""
        targets = {iqn for _, iqn, _ in self._get_all_targets(properties)}
        with contextlib.ExitStack() as stack:
            for number in sorted({zlib.crc32(iqn.encode()) % _LOCKS for iqn in targets}):
                stack.enter_context(lockutils.lock(f'target-{number}', 'brick-', external=True,
                                                   lock_path=cfg.CONF.os_brick.lock_path))
            yield

    def _connect_to_iscsi_portal(self, connection_properties):
        return self._connect_to_iscsi_portal_unsafe(connection_properties)      # _turn() is the lock

    def _iscsiadm_update(self, connection_properties, property_key, property_value, **kwargs):
        if not property_key.startswith('node.session.auth.'):
            return super()._iscsiadm_update(connection_properties, property_key, property_value, **kwargs)
        if property_key.endswith('.password'):
            privileged.set_chap(connection_properties['target_iqn'], connection_properties['target_portal'],
                                *self._chap)
        return '', ''

    def _run_iscsiadm(self, connection_properties, iscsi_command, **kwargs):
        try:
            return super()._run_iscsiadm(connection_properties, iscsi_command, **kwargs)
        except processutils.ProcessExecutionError as error:
            self.answers[connection_properties['target_portal']] = _ANSWERS.get(
                error.exit_code, f'iscsiadm {iscsi_command[0]} ended with {error.exit_code}: {error.stderr.strip()}')
            raise


def mount_nfs(share, options, base):
    """The share is mounted where RemoteFsClient.get_mount_point() says. ConnectFailed."""
    try:
        remotefs.RemoteFsClient('nfs', None, execute=execute, nfs_mount_point_base=base).mount(share, options)
    except (exception.BrickException, processutils.ProcessExecutionError) as error:
        raise errors.ConnectFailed(f'{share} could not be mounted: {error}') from error
