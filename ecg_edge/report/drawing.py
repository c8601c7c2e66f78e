"""A recording and its finding as a report on paper."""

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from ecg_edge.findings import Finding
from ecg_edge.recording import Recording
from ecg_edge.report.choices import FORMATS, Choices
from ecg_edge.report.excerpt import take_excerpt
from ecg_edge.report.shapes import Sheet
from ecg_edge.report.sheet import Content, draw_sheets
from ecg_edge.report.words import Told, tell

if TYPE_CHECKING:
    from ecg_edge.detector import Detector


@dataclass(frozen=True, slots=True)
class Report:
    """The ECG on millimetre paper with its finding, as SVG, HTML or PDF."""

    finding: Finding
    """The answer, with the probability of each window."""
    sheets: tuple[Sheet, ...] = field(repr=False)
    """One sheet of A4, or two."""
    told: Told = field(repr=False)
    """The words on the sheets."""

    def to_svg(self) -> str:
        """Return the sheets, one below the other, as an SVG file."""
        from ecg_edge.report.svg import write_svg

        return write_svg(self.sheets)

    def to_html(self) -> str:
        """Return the sheets as a page of HTML that prints in true millimetres on A4."""
        from ecg_edge.report.html import write_html

        return write_html(self.sheets, self.told)

    def to_pdf(self) -> bytes:
        """Return the sheets as the pages of a PDF file.

        Raises:
            MissingExtraError: The extra `pdf` is not installed.
        """
        from ecg_edge.report.pdf import write_pdf

        return write_pdf(self.sheets)

    def to_bytes(self, format: str) -> bytes:  # noqa: A002 - the option has this name
        """Return a file of one of `FORMATS`.

        Raises:
            ValueError: The format is not known.
            MissingExtraError: The extra `pdf` is not installed.
        """
        if format not in FORMATS:
            msg = f"the format is {format!r}, expected one of {', '.join(FORMATS)}"
            raise ValueError(msg)
        if format == "pdf":
            return self.to_pdf()
        return (self.to_svg() if format == "svg" else self.to_html()).encode()

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write a file whose ending says its format: .svg, .html or .pdf.

        Raises:
            ValueError: The ending is another one.
            MissingExtraError: The extra `pdf` is not installed.
            OSError: The file cannot be written.
        """
        Path(path).write_bytes(self.to_bytes(Path(path).suffix.lower().lstrip(".")))


def draw_report(recording: Recording, finding: Finding, window_s: float, choices: Choices) -> Report:
    """Draw a recording with a finding that is there already.

    Args:
        recording: Drawn as it is: neither filtered nor resampled.
        finding: Of this recording, with its windows.
        window_s: Length of the windows of the first model in seconds.
        choices: Layout, speed, gain and start.

    Raises:
        StartBeyondEndError: The recording ends before the start.
        EcgEdgeError: The samples are on disk and can no longer be read.
    """
    excerpt = take_excerpt(recording, choices.start_s, choices.longest_s)
    told = tell(finding, recording.units, window_s, excerpt, choices)
    return Report(finding, tuple(draw_sheets(Content(finding, excerpt, choices, told, window_s))), told)


def report(  # noqa: PLR0913 - one argument for each choice
    recording: Recording,
    detector: "Detector | None" = None,
    *,
    all_sites: bool = False,
    layout: str = "3x4",
    speed: int = 25,
    gain: int = 10,
    start_s: float = 0.0,
) -> Report:
    """Answer a recording and draw it on millimetre paper.

    Args:
        recording: A recording that the quality gate refuses is drawn with the reasons and without probabilities.
        detector: Answers; one with the shipped models if none is given.
        all_sites: Give the sites even if no infarction is found.
        layout: "3x4" with lead II below, "6x2" or "12x1". The columns of a row follow each other in time.
        speed: 25 or 50 mm/s. The paper holds 10 s at 25 mm/s and 5 s at 50 mm/s.
        gain: 5, 10 or 20 mm/mV.
        start_s: Beginning of the picture in seconds from the first sample.

    Raises:
        ValueError: A choice is not one of those above.
        StartBeyondEndError: The recording ends before the start.
        InvalidRecordingError: The recording cannot be answered, for example because of its sampling rate.
        MissingExtraError: The recording must be resampled and soxr is not installed.
        TypeError: It is not a Recording.
    """
    from ecg_edge.detector import Detector

    choices = Choices(layout, speed, gain, start_s)
    detector = detector or Detector()
    finding = detector.detect(recording, all_sites=all_sites, windows=True)
    spec = detector.infarction.spec
    return draw_report(recording, finding, spec.window / spec.sampling_rate, choices)
