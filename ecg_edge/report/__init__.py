"""The ECG on paper: millimetre grid, leads, finding and warnings as SVG, HTML or PDF.

`ecg_edge.report(recording)` is the function `report` of this package.
"""

import sys
from types import ModuleType
from typing import Any

from ecg_edge.report.choices import Choices
from ecg_edge.report.report import Report, draw_report, report

__all__ = ["Choices", "Report", "draw_report", "report"]


class _CallablePackage(ModuleType):
    # Python binds the name of an imported package in its parent, so the function cannot have that name there.
    def __call__(self, *arguments: Any, **choices: Any) -> Report:  # noqa: ANN401 - those of `report`
        return report(*arguments, **choices)


sys.modules[__name__].__class__ = _CallablePackage
