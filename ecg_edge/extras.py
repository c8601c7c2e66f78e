"""Imports of optional libraries, with an error that names the library and the extra."""

from collections.abc import Iterator
from contextlib import contextmanager

from ecg_edge.errors import BrokenExtraError, MissingExtraError


@contextmanager
def optional_library(library: str, purpose: str, extra: str) -> Iterator[None]:
    """Import an optional library inside this context.

    Args:
        library: Name of the module.
        purpose: What needs it, for the message.
        extra: The extra that installs it.

    Raises:
        MissingExtraError: The library is not installed.
        BrokenExtraError: Its import fails with any other exception.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        if error.name == library:
            raise MissingExtraError(purpose, extra) from error
        raise BrokenExtraError(library, extra, error) from error
    except (Exception, SystemExit) as error:
        raise BrokenExtraError(library, extra, error) from error
