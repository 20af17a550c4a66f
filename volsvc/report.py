"""What a backend tells of itself: once at its worker's start, and every few seconds after."""
from volsvc.db import claims, services


def capabilities(driver, made: int) -> dict:
    """What the scheduler, the checks before an extend and GET /scheduler-stats/get_pools know of a backend.

    `made` is the bytes of its volumes and snapshots that are there.
    """
    stats = driver.stats()
    return {
        'volume_backend_name': driver.options.volume_backend_name or driver.name,
        'pool_name': driver.name,
        'driver': type(driver).__name__,
        'storage_protocol': driver.protocol,
        'vendor_name': 'Open Source',
        'driver_version': '1.0',
        'online_extend': driver.online_extend,
        'multiattach': driver.multiattach,
        'thin': driver.thin,
        'max_over_subscription_ratio': driver.options.max_over_subscription_ratio,
        'reserved_percentage': driver.options.reserved_percentage,
        'total_bytes': stats['total_bytes'],
        'free_bytes': stats['free_bytes'],
        'provisioned_bytes': made,
        'snapshot_ratio': driver.snapshot_ratio,
        'snapshot_extra': driver.snapshot_extra,
    }


def write(db, host: str, zone: str, driver, grown: int = 0) -> None:
    """Afterwards the services table says that the backend is alive, and how it is.

    `grown` is the number of volumes that are larger than recorded.
    """
    pool = f'{host}#{driver.name}'
    with db.reader() as session:
        made = claims.made(session, pool)
    found = capabilities(driver, made) | {'grown': grown}

    def work(session):
        services.report(session, host, zone, found)
        claims.begin(session, pool)
    db.run(work)
