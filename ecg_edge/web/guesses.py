"""Bounds how many wrong tokens an address may try."""

import hashlib
import math
import time
from collections import OrderedDict
from collections.abc import Callable
from ipaddress import IPv6Address, ip_address
from threading import Lock

from ecg_edge.web.problems import ProblemError

MOST = 10
WITHIN_S = 60.0
_MOST_ADDRESSES = 10_000
_BITS_OF_A_NETWORK = 64


class Guesses:
    """Remembers the wrong tokens of the last minute by address. Safe to share between threads; its memory is bounded.

    A token counts once: a device that goes on with an old token does not lock out others behind the same address.

    Args:
        clock: Returns seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = Lock()
        self._wrong: OrderedDict[str, dict[bytes, float]] = OrderedDict()
        """When each wrong token of a network came; the network that guessed last is the last."""

    def check(self, host: str) -> None:
        """Refuse an address that tried too many wrong tokens.

        Raises:
            ProblemError: With the status 429 and the seconds to wait.
        """
        with self._lock:
            times = sorted(self._recent(_network_of(host)).values())
            if len(times) < MOST:
                return
            wait = max(1, math.ceil(times[-MOST] + WITHIN_S - self._clock()))
        detail = f"{MOST} wrong tokens came from this address within a minute; try again in {wait} s"
        raise ProblemError(429, detail, {"Retry-After": str(wait)})

    def note(self, host: str, token: str) -> None:
        """Remember a wrong token of an address."""
        network = _network_of(host)
        with self._lock:
            recent = self._recent(network)
            recent.setdefault(hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest(), self._clock())
            self._wrong[network] = recent
            self._wrong.move_to_end(network)
            if len(self._wrong) > _MOST_ADDRESSES:
                self._wrong.popitem(last=False)

    def _recent(self, network: str) -> dict[bytes, float]:
        start = self._clock() - WITHIN_S
        return {token: moment for token, moment in self._wrong.get(network, {}).items() if moment > start}


def _network_of(host: str) -> str:
    """Return what one guesser has: an address, but of IPv6 a network of 64 bits, whose addresses cost nothing."""
    try:
        address = ip_address(host)
    except ValueError:
        return host
    if not isinstance(address, IPv6Address):
        return host
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return f"{int(address) >> _BITS_OF_A_NETWORK:x}"
