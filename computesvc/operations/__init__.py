"""What computesvc does for longer than a request: one operation, one file.

Subjects: `server:<id>` for what changes a server, `plug:<attachment id>` for
attaching and detaching, `attachment:<attachment id>` for growing, and
`deletion:<server id>`, which takes over from all of them.

Steps at `agent:<host>` see the host's tools (host/tools.py) and no database;
steps at `conductor` see the Service (service.py).
"""
import functools

from svckit import operations


@functools.cache
def registry() -> dict:
    return operations.discover(__name__)
