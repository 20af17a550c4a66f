"""The states of a server, in the words that Nova's clients know."""

BUILDING, ACTIVE, PAUSED, STOPPED, ERROR, DELETED = 'building', 'active', 'paused', 'stopped', 'error', 'deleted'
RESIZED, SHELVED, OFFLOADED = 'resized', 'shelved', 'shelved_offloaded'

# What is done with a server on its way to another host, or to another size.
PREPARING, MIGRATING, MIGRATED, FINISHING = 'resize_prep', 'resize_migrating', 'resize_migrated', 'resize_finish'
REVERTING = 'resize_reverting'
MOVING = (PREPARING, MIGRATING, MIGRATED, FINISHING, REVERTING)

# While its volumes' devices come and go, wherever it is.
ON_THE_WAY = (MIGRATING, MIGRATED, FINISHING, REVERTING, 'shelving', 'shelving_image_pending_upload',
              'shelving_image_uploading', 'shelving_offloading', 'unshelving')

# Nova's numbers for the state of the guest's power.
NOSTATE, RUNNING, PAUSED_POWER, SHUTDOWN, CRASHED = 0, 1, 3, 4, 6

_SEEN = {'running': (ACTIVE, RUNNING), 'paused': (PAUSED, PAUSED_POWER), 'shutdown': (STOPPED, SHUTDOWN),
         'crashed': (STOPPED, CRASHED)}

STATUS = {BUILDING: 'BUILD', ACTIVE: 'ACTIVE', PAUSED: 'PAUSED', STOPPED: 'SHUTOFF', ERROR: 'ERROR', DELETED: 'DELETED',
          RESIZED: 'VERIFY_RESIZE', SHELVED: 'SHELVED', OFFLOADED: 'SHELVED_OFFLOADED'}
_RESIZING = dict.fromkeys((PREPARING, MIGRATING, MIGRATED, FINISHING), 'RESIZE')
_REBOOTING = {'rebooting': 'REBOOT', 'reboot_started': 'REBOOT', 'rebooting_hard': 'HARD_REBOOT',
              'reboot_started_hard': 'HARD_REBOOT'}
_WHILE = {ACTIVE: _REBOOTING | _RESIZING, STOPPED: _RESIZING, RESIZED: {REVERTING: 'REVERT_RESIZE'}}


def seen(power: str | None) -> tuple[str | None, int]:
    """(vm_state, number) that a hypervisor's word for a server's power means; (None, 0) if it says nothing."""
    return _SEEN.get(power, (None, NOSTATE))


def status(server) -> str:
    """The one word the API shows for a server."""
    return _WHILE.get(server.vm_state, {}).get(server.task_state) or STATUS.get(server.vm_state, 'UNKNOWN')


def behind(word: str) -> list[tuple[str, list[str] | None, list[str]]]:
    """What a status to filter by stands for: (vm_state, its task_states or None for any, task_states it is not).

    Empty for a word that is no status.
    """
    word = word.upper()
    found = [(state, None, sorted(_WHILE.get(state, ()))) for state, name in STATUS.items() if name == word]
    for state, tasks in _WHILE.items():
        wanted = sorted(task for task, name in tasks.items() if name == word)
        found += [(state, wanted, [])] if wanted else []
    return found


def vm_states(word: str) -> list[str]:
    """The vm_states behind a status to filter by; none for a word that is no status."""
    return [state for state, name in STATUS.items() if name == word.upper()]
