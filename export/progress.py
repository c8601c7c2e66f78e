"""Lines of progress on the terminal."""

import click


def say(line: str) -> None:
    """Show a line of progress on standard error."""
    click.echo(line, err=True)
