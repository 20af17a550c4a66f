"""A small identity service that clients take for Keystone v3.

Password and token authentication, project scope, a catalogue, and read-only
lists: what clients and keystonemiddleware need of a Keystone, and no more.
"""
