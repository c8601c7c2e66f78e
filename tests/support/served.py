"""A real server process, and what tests send to it."""

import os
import re
import signal
import subprocess
import sys
import time
import zipfile
from io import BytesIO
from pathlib import Path

import numpy as np

PROJECT = Path(__file__).parents[2]
PATIENCE_S = 240


class Served:
    """One server process and a client that talks to it."""

    def __init__(self, data, *options, environment=None):
        self.data = data
        command = [sys.executable, "-m", "ecg_edge", "serve", "--data", data, "--port", "0", *options]
        environment = {**os.environ, "PYTHONPATH": str(PROJECT), **(environment or {})}
        self.process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
        )
        self.address = self.process.stdout.readline().strip()
        assert self.address.startswith("http://"), self.process.communicate()[1]
        # A server on all addresses is reached on loopback.
        self.address = self.address.replace("//0.0.0.0", "//127.0.0.1").rstrip("/")
        self.client = self.browser()

    def browser(self, **options):
        """A client with cookies of its own."""
        import httpx

        return httpx.Client(base_url=self.address, timeout=PATIENCE_S, **options)

    def upload(self, *files, **fields):
        answer = self.client.post("/v1/uploads", files=[("files", file) for file in files], data=fields)
        assert answer.status_code == 202, answer.text
        return answer.json()

    def wait(self, upload):
        """Wait for the analysis of an upload, and return how it went."""
        end = time.monotonic() + PATIENCE_S
        while time.monotonic() < end:
            progress = self.client.get(f"/v1/uploads/{upload['upload']}").json()
            if progress["done"] + progress["failed"] == progress["total"]:
                return progress
            time.sleep(0.05)
        raise AssertionError(progress)

    def send(self, number):
        self.process.send_signal(number)
        self.process.wait(PATIENCE_S)

    def stop(self):
        self.client.close()
        if self.process.poll() is None:
            self.send(signal.SIGTERM)
        self.process.stdout.close()
        self.process.stderr.close()


def zipped(**entries):
    """A .zip of entries by name; a double underscore stands for the dot before the ending."""
    file = BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries.items():
            archive.writestr(name.replace("__", "."), content)
    return file.getvalue()


def npy(signal):
    file = BytesIO()
    np.save(file, signal)
    return file.getvalue()


def form_token(page):
    """The token that forms of a page carry."""
    return re.search(r'<meta name="csrf-token" content="([0-9a-f]+)">', page.text).group(1)


def children(process):
    tasks = Path(f"/proc/{process.pid}/task").iterdir()
    return [int(child) for task in tasks for child in (task / "children").read_text().split()]


def command_of(number):
    return Path(f"/proc/{number}/cmdline").read_bytes().decode()


def find_worker(process):
    """The worker's process; the other child only watches resources."""
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        workers = [child for child in children(process) if "spawn_main" in command_of(child)]
        if workers:
            return workers[0]
        time.sleep(0.02)
    raise AssertionError("no worker")
