"""The states of a server, in the words that Nova's clients know."""

BUILDING, ACTIVE, PAUSED, STOPPED, ERROR, DELETED = 'building', 'active', 'paused', 'stopped', 'error', 'deleted'

# Nova's numbers for the state of the guest's power.
NOSTATE, RUNNING, PAUSED_POWER, SHUTDOWN, CRASHED = 0, 1, 3, 4, 6

_SEEN = {'running': (ACTIVE, RUNNING), 'paused': (PAUSED, PAUSED_POWER), 'shutdown': (STOPPED, SHUTDOWN),
         'crashed': (STOPPED, CRASHED)}

STATUS = {BUILDING: 'BUILD', ACTIVE: 'ACTIVE', PAUSED: 'PAUSED', STOPPED: 'SHUTOFF', ERROR: 'ERROR', DELETED: 'DELETED'}
_WHILE = {'rebooting': 'REBOOT', 'reboot_started': 'REBOOT', 'rebooting_hard': 'HARD_REBOOT',
          'reboot_started_hard': 'HARD_REBOOT'}


def seen(power: str | None) -> tuple[str | None, int]:
    """(vm_state, number) that a hypervisor's word for a server's power means; (None, 0) if it says nothing."""
    return _SEEN.get(power, (None, NOSTATE))


def status(server) -> str:
    """The one word the API shows for a server."""
    if server.vm_state == ACTIVE and server.task_state in _WHILE:
        return _WHILE[server.task_state]
    return STATUS.get(server.vm_state, 'UNKNOWN')


def vm_states(word: str) -> list[str]:
    """The vm_states behind a status to filter by; none for a word that is no status."""
    return [state for state, name in STATUS.items() if name == word.upper()]
