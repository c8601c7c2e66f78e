"""The command `ecg-edge serve`: the web page and the HTTP interface."""

import os
import sys
from importlib import import_module
from pathlib import Path

import click

from ecg_edge.cli.options import add_operating_point, add_session_options, one_line_errors
from ecg_edge.extras import optional_library

_TOKEN = "ECG_EDGE_TOKEN"  # noqa: S105 - the name of a variable
_SHORTEST_TOKEN = 16
_LIBRARIES = ("fastapi", "uvicorn", "jinja2", "python_multipart", "websockets")


@click.command()
@click.option(
    "--data",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("ecg-edge-data"),
    show_default=True,
    help="Folder of the database; it is created if it is missing. Nothing else is written.",
)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port", type=click.IntRange(0, 65535), default=8377, show_default=True, help="Port to listen on; 0 for any free."
)
@click.option("--token", envvar=_TOKEN, show_envvar=True, help="What clients must know; needed beyond loopback.")
@click.option("--name", "names", multiple=True, help="Further host name under which browsers reach the server.")
@click.option(
    "--max-upload", type=click.IntRange(1, 1024), default=128, show_default=True, metavar="MB", help="Of one upload."
)
@click.option(
    "--max-records", type=click.IntRange(1), default=2000, show_default=True, help="Recordings in one upload."
)
@click.option("--threads", type=click.IntRange(1), default=1, show_default=True, help="Records at a time.")
@add_operating_point
@add_session_options
def serve(  # noqa: PLR0913, PLR0917 - one parameter an option
    data: Path,
    host: str,
    port: int,
    token: str | None,
    names: tuple[str, ...],
    max_upload: int,
    max_records: int,
    threads: int,
    operating_point: str | None,
    models: Path | None,
    provider: str,
) -> None:
    """Show a web page to upload, look at, search and export recordings, and answer over HTTP.

    It listens on this machine alone, unless --host says otherwise; then a token is needed.

    \b
    Examples:
      ecg-edge serve
      ECG_EDGE_TOKEN=$(openssl rand -hex 24) ecg-edge serve --host 0.0.0.0 --data /var/lib/ecg-edge
    """  # noqa: D301 - click keeps the lines of a paragraph after this mark
    with one_line_errors():
        for library in _LIBRARIES:
            with optional_library(library, "the web page", "web"):
                import_module(library)
        from ecg_edge.web.server import serve as run
        from ecg_edge.web.settings import MIB, Settings

        settings = Settings(
            data.absolute(),
            host,
            port,
            token or None,
            names,
            models,
            provider,
            threads,
            operating_point,
            max_upload * MIB,
            max_records,
        )
        _check_token(settings.token, is_loopback=settings.is_loopback)
        run(settings, _tell)


def _check_token(token: str | None, *, is_loopback: bool) -> None:
    """Raise UsageError if the token is missing or easy to guess."""
    if token is None and not is_loopback:
        msg = f"beyond loopback the server needs a token: pass --token or set {_TOKEN}"
        raise click.UsageError(msg)
    if token is not None and (len(token) < _SHORTEST_TOKEN or not token.isascii() or not token.isprintable()):
        msg = f"the token must have at least {_SHORTEST_TOKEN} printable ASCII characters"
        raise click.UsageError(msg)


def _tell(address: str) -> None:
    click.echo(address)
    sys.stdout.flush()
    click.echo(f"Press Ctrl-C to end. Process {os.getpid()}.", err=True)
