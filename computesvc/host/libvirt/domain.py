"""Domains as a whole: which there are, defining and undefining. Runs in a native thread."""

import libvirt

from computesvc.host.libvirt import power, xml


def define(connection, description):
    """The domain exists with this XML; one that runs is not disturbed and has it from its next start."""
    connection.defineXML(description)


def undefine(domain):
    """The domain is neither running nor defined."""
    power.cut_off(domain)
    try:
        domain.undefineFlags(libvirt.VIR_DOMAIN_UNDEFINE_MANAGED_SAVE | libvirt.VIR_DOMAIN_UNDEFINE_NVRAM
                             | libvirt.VIR_DOMAIN_UNDEFINE_SNAPSHOTS_METADATA)
    except libvirt.libvirtError as error:
        if error.get_error_code() != libvirt.VIR_ERR_NO_DOMAIN:     # a transient one ends with its guest
            raise


def states(connection):
    """id -> power state of each domain of ours."""
    return {domain.UUIDString(): power.state(domain) for domain in connection.listAllDomains()
            if xml.is_ours(domain)}
