"""Plumbing that every service of this project shares.

What it is for: requests (`svckit.web`), the database, durable operations,
messaging, policy, configuration and the process itself.  What it must not do:
know volumes or servers, or import any of the services.
"""
