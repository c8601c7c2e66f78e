"""The command `ecg-edge formats`: what each input format must state, and which extras are installed."""

import textwrap
from collections.abc import Iterator

import click

_WIDTH = 110


@click.command()
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "markdown"]),
    default="text",
    help="text for people (the default), or the table of the documentation in Markdown.",
)
def formats(form: str) -> None:
    """Show the input formats: what a file must state, what is checked and refused, and which extras are installed.

    \b
    Examples:
      ecg-edge formats
      ecg-edge formats --format markdown
    """  # noqa: D301 - click keeps the lines of a paragraph after this mark
    from ecg_edge.readers.description import make_table
    from ecg_edge.readers.registry import descriptions
    from ecg_edge.wording import printable

    if form == "markdown":
        click.echo(make_table(descriptions()), nl=False)
        return
    for line in _list_lines():
        click.echo(printable(line))


def _list_lines() -> Iterator[str]:
    from ecg_edge.readers.description import describe_library
    from ecg_edge.readers.registry import descriptions

    for one in descriptions():
        yield f"{one.name}: {one.files.replace('`', '')}"
        yield f"  {one.describe_extra()}"
        for title, text in (("must be stated", one.stated), ("checked", one.checked), ("refused", one.refused)):
            lines = textwrap.wrap(
                text.replace("`", ""), _WIDTH, initial_indent=f"  {title}: ", subsequent_indent="    "
            )
            yield from lines
        yield ""
    yield "any of them at another rate than 500 Hz, from 100 to 10000 Hz"
    yield f"  {describe_library('resampling', 'soxr', 'resample')}"
