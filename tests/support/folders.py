"""Copies of the shipped models with one file changed."""

import hashlib
import json
import shutil
from pathlib import Path

from ecg_edge.package_data import shipped_models


def copy_models(tmp_path, file=None, change=None):
    """Copy the shipped models; with a file, let `change` work on its JSON, and put its new hash into the manifest."""
    folder = Path(shutil.copytree(shipped_models(), tmp_path / "models"))
    if file is not None:
        content = json.loads((folder / file).read_bytes())
        change(content)
        put_file(folder, file, json.dumps(content))
    return folder


def put_file(folder, file, text):
    """Write a file in place of another one, with its hash in the manifest."""
    (folder / file).write_text(text)
    manifest = json.loads((folder / "manifest.json").read_bytes())
    sections = [section for section in manifest.values() if isinstance(section, dict)]
    (entry,) = [entry for section in sections for entry in section.values() if entry["file"] == file]
    entry |= {"sha256": hashlib.sha256(text.encode()).hexdigest(), "size": len(text.encode())}
    (folder / "manifest.json").write_text(json.dumps(manifest))
