"""Where steps run."""

CONDUCTOR = 'conductor'


def agent(op) -> str:
    """The agent of the host that the server was on when it was asked."""
    return f"agent:{op.params['host']}"


def agent_if_any(op) -> str:
    """The same; for a server on no host the conductor, where there is nothing to do in such a step."""
    return agent(op) if op.params['host'] else CONDUCTOR


def found_agent(op) -> str:
    """The agent of the host that an earlier step found out."""
    return f"agent:{op.notes['host']}"


def source(op) -> str:
    """The agent of the host that a moving server is on."""
    return f"agent:{op.params['host']}"


def back(op) -> str:
    """The agent of the host that a server comes back to."""
    return f"agent:{op.params['back']}"
