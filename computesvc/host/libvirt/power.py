"""Turning domains on and off. Runs in a native thread."""

import libvirt

from computesvc.host import base

_STATES = {
    libvirt.VIR_DOMAIN_RUNNING: base.RUNNING,
    libvirt.VIR_DOMAIN_BLOCKED: base.RUNNING,
    libvirt.VIR_DOMAIN_SHUTDOWN: base.RUNNING,      # "is being shut down"
    libvirt.VIR_DOMAIN_PAUSED: base.PAUSED,
    libvirt.VIR_DOMAIN_PMSUSPENDED: base.PAUSED,
    libvirt.VIR_DOMAIN_SHUTOFF: base.SHUTDOWN,
    libvirt.VIR_DOMAIN_CRASHED: base.CRASHED,
}


def state(domain):
    """The contract's word for the domain's state."""
    try:
        number, reason = domain.state()
    except libvirt.libvirtError as error:
        if error.get_error_code() == libvirt.VIR_ERR_NO_DOMAIN:
            return base.ABSENT
        raise
    if number == libvirt.VIR_DOMAIN_SHUTOFF and reason == libvirt.VIR_DOMAIN_SHUTOFF_CRASHED:
        return base.CRASHED
    return _STATES.get(number, base.CRASHED)


def turn_on(domain):
    """The domain runs."""
    _unless_done(domain, base.RUNNING, domain.resume if state(domain) == base.PAUSED else domain.create)


def press_button(domain):
    """The guest has been asked to power off; True if the domain is off already."""
    if not domain.isActive():
        return True
    _unless_done(domain, base.SHUTDOWN, lambda: domain.shutdownFlags(libvirt.VIR_DOMAIN_SHUTDOWN_ACPI_POWER_BTN))
    return False


def is_off(domain):
    """True if no guest runs."""
    return not domain.isActive()


def cut_off(domain):
    """The domain is off, whatever its guest was doing."""
    if domain.isActive():
        _unless_done(domain, base.SHUTDOWN, domain.destroy)


def pause(domain):
    """The domain stands still."""
    _live(domain)
    _unless_done(domain, base.PAUSED, domain.suspend)


def unpause(domain):
    """The domain goes on."""
    _live(domain)
    _unless_done(domain, base.RUNNING, domain.resume)


def _live(domain):
    now = state(domain)
    if now not in (base.RUNNING, base.PAUSED):
        raise base.WrongPowerState(f'Server {domain.UUIDString()} is {now}.')


def _unless_done(domain, wanted, act):
    """Look, act, and if acting failed look again: it may have happened by itself meanwhile."""
    if state(domain) == wanted:
        return
    try:
        act()
    except libvirt.libvirtError:
        if state(domain) != wanted:
            raise
