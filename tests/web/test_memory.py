"""What a burst of uploads took is given back when it is over."""

import platform
import re
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from served import npy

MIB = 2**20


def memory_of(served):
    """Bytes that the server process has for itself."""
    status = Path(f"/proc/{served.process.pid}/status").read_text()
    return int(re.search(r"RssAnon:\s+(\d+) kB", status)[1]) * 1024


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another C library decides by itself")
def test_the_memory_of_uploads_goes_back_after_each_burst(serve, tmp_path, normal):
    served = serve(tmp_path / "data")
    served.wait(served.upload(("a.npy", normal)))
    before = memory_of(served)
    signal = np.random.default_rng(0).normal(0, 0.1, (12, 170_000)).astype(np.float16).astype(np.float32)
    content = npy(signal)
    most = 0
    # Of a rate that no model takes: the analysis, which is another process, is short.
    for _ in range(2):
        with ThreadPoolExecutor(6) as pool:
            jobs = [pool.submit(served.upload, ("noise.npy", content), sampling_rate="20") for _ in range(6)]
            while not all(job.done() for job in jobs):
                most = max(most, memory_of(served))
                time.sleep(0.01)
            assert all(job.result()["files"][0]["status"] == "accepted" for job in jobs)
        end = time.monotonic() + 30
        while memory_of(served) > before + 20 * MIB and time.monotonic() < end:
            time.sleep(0.1)
        assert memory_of(served) < before + 20 * MIB
    # It was more meanwhile, or the test would show nothing.
    assert most > before + 30 * MIB
