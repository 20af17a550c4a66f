"""os-brick's connectors as they are used here; imported by the first connect, since os-brick is large.

They differ in this: no CHAP secret is among what they know, so none can be logged or be an argument of a program;
the lock that keeps connects apart is the target's, so a portal that is down holds up its own volumes only; and who
connects hears what each portal answered.
"""

import contextlib
import glob
import os
import zlib

import os_brick
from os_brick import exception
from os_brick.initiator import linuxfc, linuxscsi
from os_brick.initiator.connectors import fibre_channel, iscsi
from os_brick.remotefs import remotefs
from oslo_concurrency import lockutils, processutils
from oslo_config import cfg

from brick import errors, privileged, settings
from brick.execute import execute
from brick.sysfs import RUNNING, Sysfs

# os-brick reads oslo.config's global options, which nothing else here uses.
lockutils.set_defaults(settings.lock_path)
os_brick.setup(cfg.CONF)

_FAILURES = exception.BrickException, processutils.ProcessExecutionError, errors.BrickError, OSError
_LOCKS = 64             # files; else one for each target that ever was would stay
# Exit statuses of iscsiadm(8).
_ANSWERS = {4: 'cannot be reached', 5: 'cannot be reached', 8: 'does not answer', 12: 'iscsid does not run',
            19: 'does not know this host or target', 20: 'iscsid does not run', 21: 'has no such target',
            24: 'refuses the CHAP name or secret', 124: 'does not answer'}


class Scsi(linuxscsi.LinuxSCSI):
    """Asks multipathd by its socket, and sysfs for what os-brick runs programs for. `root` stands for `/`."""

    root = '/'

    def get_scsi_wwn(self, path):
        return Sysfs(self.root).wwid(_name(path))

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


class Initiator:
    """What both kinds have in common. For one connection, which `label` names."""

    def __init__(self, multipath, scan_attempts, label):
        super().__init__(None, execute=execute, use_multipath=multipath, device_scan_attempts=scan_attempts)
        self._linuxscsi = Scsi(None, execute=execute)
        self._label, self._keep = label, False

    def connect(self, properties, keep):
        """The volume has a disk here, and a map if it may. ConnectFailed; unless `keep`, nothing is left then."""
        self._keep = keep
        try:
            self.connect_volume(properties)
        except _FAILURES as error:
            raise errors.ConnectFailed(f'{self._label} could not be connected: {self.story(error)}') from error

    def disconnect(self, properties, used):
        """The volume has no disk here; what was written to the device `used` is on it. DisconnectFailed."""
        try:
            self.disconnect_volume(properties, {'path': used})
        except _FAILURES as error:
            raise errors.DisconnectFailed(_brief(error)) from error

    def flush(self, name):
        """What waits for the map is written, and the map is gone. DisconnectFailed, if it is in use for instance."""
        try:
            self._linuxscsi.flush_multipath_device(name)
        except _FAILURES as error:
            raise errors.DisconnectFailed(_brief(error)) from error

    def give_up(self, properties, used, name):
        """As disconnect(), but whatever does not work is passed over. `name`: of the map, '' if there is none."""
        self.drop_map(name)
        with contextlib.suppress(*_FAILURES):
            self.disconnect_volume(properties, {'path': used}, force=True, ignore_errors=True)
        self.drop_map(name)         # now that its disks are gone, whoever was stuck with the map lets it go

    def drop_map(self, name):
        """The map is gone if nobody uses it; what waits for its paths fails now. Tries for some seconds."""
        if name and os.path.exists(f'/dev/mapper/{name}'):
            with contextlib.suppress(OSError, errors.BrickError):
                privileged.multipathd(['disablequeueing', 'map', name])
            with contextlib.suppress(*_FAILURES):
                self._linuxscsi.flush_multipath_device(name)

    def supports_multipath(self):
        return multipathd_runs()

    def story(self, error):
        """Why connecting failed, for an operator."""
        return _brief(error)


class Iscsi(Initiator, iscsi.ISCSIConnector):
    """Logs in by CHAP with what os-brick is never told."""

    def __init__(self, multipath, scan_attempts, label, chap=None):
        super().__init__(multipath, scan_attempts, label)
        self._chap, self._answers = chap, {}        # what each portal said that did not let us in

    def story(self, error):
        return '; '.join(f'{portal} {answer}' for portal, answer in sorted(self._answers.items())) or _brief(error)

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

    def _cleanup_connection(self, *args, is_disconnect_call=False, **kwargs):
        """After a connect that failed, os-brick would take away what was there before, though somebody may use it."""
        if is_disconnect_call or not self._keep:
            super()._cleanup_connection(*args, is_disconnect_call=is_disconnect_call, **kwargs)

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

    def _get_iscsi_sessions_full(self):
        return [('tcp:', number, portal, '', iqn) for number, portal, iqn in Sysfs().iscsi_sessions()]

    def _iscsiadm_update(self, connection_properties, property_key, property_value, **kwargs):
        """os-brick sets one value at a time; all are written at its first. It also would have the portal logged in to
        at every boot, of which the volume may not survive one: who needs it connects."""
        if property_key == 'node.session.scan':
            privileged.prepare_login(connection_properties['target_iqn'], connection_properties['target_portal'],
                                     self._chap)
        return '', ''

    def _run_iscsiadm(self, connection_properties, iscsi_command, **kwargs):
        try:
            return super()._run_iscsiadm(connection_properties, iscsi_command, **kwargs)
        except processutils.ProcessExecutionError as error:
            self._answers[connection_properties['target_portal']] = _ANSWERS.get(
                error.exit_code, f'cannot be logged in to: {_brief(error)}')
            raise


class FibreChannel(Initiator, fibre_channel.FibreChannelConnector):
    """os-brick's, with its one lock for all of Fibre Channel. `root` stands for `/`."""

    def __init__(self, multipath, scan_attempts, label, root='/'):
        super().__init__(multipath, scan_attempts, label)
        self._root = self._linuxscsi.root = root
        self._linuxfc = Ports(root)

    def check_valid_device(self, path, run_as_root=True):
        found = Sysfs(self._root).path(_name(path))
        return found.state == RUNNING and found.size > 0

    def _get_host_devices(self, possible_devs):
        return [os.path.join(self._root, path[1:]) for path in super()._get_host_devices(possible_devs)]


class Ports(linuxfc.LinuxFibreChannel):
    """Looks for target ports in sysfs itself; os-brick lets a shell do it, with names from the connection."""

    def __init__(self, root):
        super().__init__(None, execute=execute)
        self._root = root

    def get_fc_hbas(self):
        """As os-brick's, which is a classmethod with a fixed place."""
        hosts = sorted(glob.glob(os.path.join(self._root, self.FC_HOST_SYSFS_PATH[1:], '*')))
        return [{'ClassDevice': os.path.basename(host), 'ClassDevicepath': os.path.realpath(host),
                 **{attribute: _line(f'{host}/{attribute}') for attribute in self.HBA_ATTRIBUTES}} for host in hosts]

    def _get_target_fc_transport_path(self, path, wwpn, lun):
        found = self._port(path, wwpn)      # /sys/class/fc_transport/target6:0:1
        return [*os.path.basename(found).split(':')[1:], lun] if found else []

    def _get_target_fc_remote_ports_path(self, path, wwpn, lun):
        found = self._port(path, wwpn)      # /sys/class/fc_remote_ports/rport-6:0-1
        target = _line(f'{found}/scsi_target_id') if found else '-1'
        return [] if target in ('', '-1') else [os.path.basename(found).split(':')[1].split('-')[0], target, lun]

    def _port(self, beginning, wwpn):
        """The folder, of those whose path begins so, of the port with this WWN; '' if none."""
        for folder in sorted(glob.glob(os.path.join(self._root, f'{beginning[1:]}*'))):
            if wwpn.lower() == _line(f'{folder}/port_name').lower().removeprefix('0x'):
                return folder
        return ''


def _brief(error):
    """An os-brick error as one line."""
    if isinstance(error, processutils.ProcessExecutionError):
        return f'{error.cmd} ended with {error.exit_code}: {(error.stderr or "").strip()}'
    text = str(error).strip()
    return text.splitlines()[-1] if text else type(error).__name__


def _name(path):
    """'sda' of whatever leads to /dev/sda."""
    return os.path.basename(os.path.realpath(path))


def _line(path):
    with contextlib.suppress(OSError), open(path) as file:
        return file.read().strip()
    return ''


def mount_nfs(share, options, base):
    """The share is mounted where RemoteFsClient.get_mount_point() says. ConnectFailed."""
    try:
        remotefs.RemoteFsClient('nfs', None, execute=execute, nfs_mount_point_base=base).mount(share, options)
    except (exception.BrickException, processutils.ProcessExecutionError) as error:
        raise errors.ConnectFailed(f'{share} could not be mounted: {error}') from error
