"""How the C library keeps memory from one recording for the next."""

import numpy as np

_KEPT_BYTES = 8 * 2**20


def keep_freed_memory() -> None:
    """Let the process keep what a recording's arrays leave behind, 16 MB at most.

    glibc hands free memory back to the system above twice the largest piece that was ever freed, and asks for it page
    by page again: for arrays of 240 KB, a recording's, that costs more than what is computed on them. A larger piece,
    of which not a page is touched, teaches it to keep more; other C libraries do not care.
    """
    np.empty(_KEPT_BYTES, np.uint8)
