"""Both services, an identity and an image service, in one process on one folder.

For a first run, for development, and for testing clients: the services' code is
what runs in production, only the database (SQLite) and the transport
(in-process) differ.  Nothing outside this package may import both services.
"""
