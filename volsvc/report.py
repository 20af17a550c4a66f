"""What a backend tells of itself: once at its worker's start, and every few seconds after."""
from sqlalchemy import func, select

from volsvc.db import services
from volsvc.db.models import Volume


def capabilities(driver, promised: int) -> dict:
    """What the scheduler, the checks before an extend and GET /scheduler-stats/get_pools know of a backend.

    `promised` is the bytes of all its volumes.
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
        'multiattach': True,
        'thin': driver.thin,
        'max_over_subscription_ratio': driver.options.max_over_subscription_ratio,
        'total_bytes': stats['total_bytes'],
        'free_bytes': stats['free_bytes'],
        'provisioned_bytes': promised,
    }


def write(db, host: str, zone: str, driver, grown: int = 0) -> None:
    """Afterwards the services table says that the backend is alive, and how it is.

    `grown` is the number of volumes that are larger than recorded.
    """
    with db.reader() as session:
        promised = session.execute(select(func.coalesce(func.sum(Volume.size), 0)).where(
            Volume.host == f'{host}#{driver.name}')).scalar()
    found = capabilities(driver, int(promised)) | {'grown': grown}
    db.run(lambda session: services.report(session, host, zone, found))
