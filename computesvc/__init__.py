"""Servers: speaks the Nova v2.1 REST API.  API, conductor and one agent for each host."""
