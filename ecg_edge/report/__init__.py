"""The ECG on paper: millimetre grid, leads, finding and warnings as SVG, HTML or PDF.

`ecg_edge.report(recording)` is the function `report` of this package.
"""

import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

__all__ = ["Choices", "Report", "draw_report", "report"]

if TYPE_CHECKING:
    from ecg_edge.report.choices import Choices
    from ecg_edge.report.drawing import Report, draw_report, report

_HOMES = {"Choices": "choices", "Report": "drawing", "draw_report": "drawing", "report": "drawing"}


class _CallablePackage(ModuleType):
    # Python binds an imported package to its name in the parent, so no function can have this name there.
    def __call__(self, *arguments: Any, **choices: Any) -> "Report":  # noqa: ANN401 - those of `report`
        from ecg_edge.report.drawing import report as draw

        return draw(*arguments, **choices)


sys.modules[__name__].__class__ = _CallablePackage


def __getattr__(name: str) -> object:
    # Loaded on first use: the command line needs the choices for its help, but not numpy.
    from importlib import import_module

    if name in _HOMES:
        return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    msg = f"module {__name__!r} has no attribute {name!r}"
    raise AttributeError(msg)
