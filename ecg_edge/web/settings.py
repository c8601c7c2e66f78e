"""What the server is told when it starts."""

from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path

MIB = 2**20
LOOPBACK_NAMES = ("localhost",)


@dataclass(frozen=True, slots=True)
class Settings:
    """Where the server listens, where it keeps its data, and how much it takes."""

    data: Path
    """Folder of the database; the only place that is written to."""
    host: str = "127.0.0.1"
    port: int = 8377
    token: str | None = None
    """What clients must know; needed beyond loopback."""
    names: tuple[str, ...] = ()
    """Further names under which browsers reach the server."""
    models: Path | None = None
    """Folder of the models; None for the shipped ones."""
    provider: str = "cpu"
    threads: int = 1
    """Records that the worker analyses at a time."""
    operating_point: str | None = None
    max_upload: int = 128 * MIB
    """Bytes of the body of an upload."""
    max_records: int = 2000
    """Records of an upload."""

    @property
    def is_loopback(self) -> bool:
        """Whether only programs of this machine reach the server."""
        return is_loopback(self.host)

    @property
    def max_unpacked(self) -> int:
        """Bytes of all samples of an upload: recordings compress to between a half and a tenth of their size."""
        return 8 * self.max_upload


def is_loopback(host: str) -> bool:
    """Return whether an address or name is that of the machine itself."""
    if host in LOOPBACK_NAMES:
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
