"""Lines of progress on the terminal."""

import sys

import click


def say(line: str) -> None:
    """Show a line of progress on standard error."""
    click.echo(line, err=True)


def say_on_terminal(line: str) -> None:
    """Show a line of progress on standard error, if that is a terminal."""
    if sys.stderr.isatty():
        say(line)
