"""Memory that a burst of uploads took goes back to the system.

Bodies come and go in threads. The C library of Linux (glibc) has a heap for each of several threads, and keeps what is
free in it: `Detector` even makes it do so, because analysis and drawing are twice as fast for it. Elsewhere, nothing is
done here.
"""

import ctypes
from contextlib import suppress

from ecg_edge.web.settings import MIB

_M_TRIM_THRESHOLD = -1
_M_ARENA_MAX = -8
_HEAPS = 2
_MOST_AT_THE_END = 8 * MIB


def limit_heaps() -> None:
    """Let all threads share two heaps, so that the free parts of many heaps do not add up, and bound their free ends.

    It is called when the detector is loaded, so that what counts as a large block stays as the detector needs it.
    """
    with suppress(OSError, AttributeError, TypeError):
        set_option = ctypes.CDLL(None).mallopt
        set_option(_M_ARENA_MAX, _HEAPS)
        set_option(_M_TRIM_THRESHOLD, _MOST_AT_THE_END)


def return_free_memory() -> None:
    """Give the free parts of all heaps back to the system. It takes some milliseconds."""
    with suppress(OSError, AttributeError, TypeError):
        ctypes.CDLL(None).malloc_trim(0)
