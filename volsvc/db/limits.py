"""Quota: what is counted, and the limits that hold where nobody set any."""

RESOURCES = ('volumes', 'snapshots', 'gigabytes', 'backups', 'backup_gigabytes', 'groups', 'per_volume_gigabytes')


def defaults(conf) -> dict[str, int]:
    """resource -> limit, -1 for none."""
    return {name: conf.quota[name] for name in RESOURCES}
