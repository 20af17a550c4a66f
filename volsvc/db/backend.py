"""A storage backend, as the services table tells of it."""
import dataclasses


@dataclasses.dataclass(frozen=True)
class Backend:
    host: str                        # 'host@backend'
    zone: str
    up: bool
    disabled: bool
    capabilities: dict               # as volsvc.report wrote them

    @property
    def pool(self) -> str:
        return f'{self.host}#{self.capabilities["pool_name"]}'
