"""A server's network interfaces."""

import hashlib
from xml.etree import ElementTree

PREFIX = 'fa:16:3e'     # as OpenStack's networks do


def element(server_id, place, nic):
    """The <interface> of a NIC. 'user': QEMU's own network, outgoing only, needs nothing of the host."""
    interface = ElementTree.Element('interface', type=nic.get('type', 'user'))
    ElementTree.SubElement(interface, 'mac', address=nic.get('mac') or derived_mac(server_id, place))
    ElementTree.SubElement(interface, 'model', type='virtio')
    return interface


def derived_mac(server_id, place):
    """The same address for the same server and place, so that defining again changes nothing."""
    digest = hashlib.sha256(f'{server_id}/{place}'.encode()).hexdigest()
    return ':'.join([PREFIX, digest[0:2], digest[2:4], digest[4:6]])
