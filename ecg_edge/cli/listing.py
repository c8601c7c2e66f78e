"""The records that the paths on the command line hold, and the files that are passed over."""

from collections import Counter
from collections.abc import Sequence
from functools import partial
from pathlib import Path, PurePath
from typing import TYPE_CHECKING

import click

from ecg_edge.wording import printable

if TYPE_CHECKING:
    from ecg_edge.readers import Declared, PassedOver, RecordFile


def list_records(
    paths: Sequence[str], declared: "Declared", known: Sequence[Path] = ()
) -> tuple[list["RecordFile"], int]:
    """Return the records of some paths, and the number of files that are passed over.

    Each of these files gets a line on standard error with the reason, and at the end comes their number.

    Args:
        paths: Files, folders, archives, or "-" for standard input.
        declared: What the options declare about files.
        known: Files that the user knows not to be recordings; they are left out without a word.
    """
    from ecg_edge.readers import RecordFile

    found = [
        item
        for path in paths
        for item in _find(path, declared)
        if not any(_is_same(item.source, file) for file in known)
    ]
    records = [item for item in found if isinstance(item, RecordFile)]
    over = [item for item in found if not isinstance(item, RecordFile)]
    for item in over:
        click.echo(f"passed over: {printable(item.source)}: {printable(item.reason)}", err=True)
    if over:
        click.echo(f"{len(over)} file{'s' * (len(over) > 1)} passed over that may hold recordings", err=True)
    return records, len(over)


def tell_apart(records: list["RecordFile"]) -> list["RecordFile"]:
    """Return the records with different names: those of one name get their suffix, or else their source."""
    for rename in (_get_file_name, _get_source):
        counts = Counter(record.name for record in records)
        records = [record._replace(name=rename(record)) if counts[record.name] > 1 else record for record in records]
    return records


def _get_file_name(record: "RecordFile") -> str:
    return PurePath(record.source).name or record.name


def _get_source(record: "RecordFile") -> str:
    return record.source


def _is_same(source: str, known: Path | None) -> bool:
    return known is not None and Path(source).is_file() and known.samefile(source)


def _find(path: str, declared: "Declared") -> "list[RecordFile | PassedOver]":
    import sys

    from ecg_edge.readers import RecordFile, find_candidates, read_stream

    if path != "-":
        return list(find_candidates(path, declared))
    if sys.stdin is None:
        msg = "standard input is closed"
        raise click.UsageError(msg)
    return [RecordFile("stdin", "-", partial(read_stream, sys.stdin.buffer, "stdin", declared))]
