"""Servers as libvirt domains.

hypervisor.py is the contract, put together from small parts: calls (a call in a native thread, with a deadline),
connection (one for each call at a time, opened again when lost), xml and nics (what a domain looks like), host,
domain, power, disks and console (one topic each). Functions of host, domain, power and disks run inside a native
thread with libvirt's blocking calls: they must not log, sleep or take a `threading` lock, which are all green there.
"""

from computesvc.host.libvirt.hypervisor import Libvirt

__all__ = ['Libvirt']
