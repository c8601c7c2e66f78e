"""A live feed in, chunk by chunk: the same answer as for a recording."""

from collections.abc import Sequence
from pickle import PicklingError
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ecg_edge.cascade import Cascade
from ecg_edge.decision import Subject
from ecg_edge.errors import ModelError
from ecg_edge.findings import Finding, Provenance
from ecg_edge.model.likely_rate import END_S
from ecg_edge.recording import Recording
from ecg_edge.recording.arguments import check_leads, check_rate
from ecg_edge.recording.live_feed import LiveFeed
from ecg_edge.so_far import SoFar, State, StreamWindow

__all__ = ["LONGEST_LAST_S", "Stream", "StreamWindow"]

LONGEST_LAST_S = 60


class Stream:
    """One patient's live feed. Its answer so far is the answer of `Detector.detect` for the same samples.

    Make one with `Detector.stream`. Memory does not grow: a stream keeps the sums of the window scores and the last
    `LONGEST_LAST_S` seconds of samples, a few MB. It runs the second stage on every window, because the answer may
    change to an infarction at any time. Use a stream from one thread at a time; streams may share a detector.

    A feed with another sampling rate than the models' is resampled. Its windows come 2 to 8 s late, which is the delay
    of the filter. Its findings are not delayed.

    Args:
        cascade: The models and the decision rule that answer.
        sampling_rate: Of the chunks, samples per second.
        leads: Name of each row of a chunk, as for `Recording`.
        units: Unit of the chunks: mV, uV, nV or V.
        name: Name of the feed in its findings.
        detector: Makes the stream again where it is unpickled; a stream without it cannot be pickled.

    Raises:
        InvalidRecordingError: The leads, the units or the sampling rate are not supported.
        MissingExtraError: The feed must be resampled and soxr is not installed.
    """

    def __init__(  # noqa: PLR0913, PLR0917 - the first and the last are the detector's
        self,
        cascade: Cascade,
        sampling_rate: float,
        leads: Sequence[str],
        units: str,
        name: str,
        detector: "_StreamMaker | None" = None,
    ) -> None:
        self._cascade, self._name, self._detector = cascade, name, detector
        self.sampling_rate, self.leads, self.units = check_rate(sampling_rate), check_leads(leads), units
        self._whole_lengths = {model.spec.whole_length for model in cascade.models}
        self.reset()

    def reset(self) -> None:
        """Forget all samples, for the next patient."""
        self._feed = LiveFeed(self.sampling_rate, self.leads, self.units, self._cascade.sampling_rate, LONGEST_LAST_S)
        self._so_far = SoFar.start(self._cascade)

    def __reduce__(self) -> tuple[object, ...]:
        """Pickle the detector by what it was made from, and the state of the feed.

        Raises:
            PicklingError: The stream was not made by a detector.
        """
        if self._detector is None:
            raise PicklingError("this stream was made without a detector; make it with Detector.stream")
        settings = (self._detector, self.sampling_rate, self.leads, self.units, self._name)
        return _make, settings, (self._cascade.rule.provenance, self._feed, self._so_far.get_state())

    def __setstate__(self, state: tuple[Provenance, LiveFeed, State]) -> None:
        """Go on where the pickled stream was.

        Raises:
            ModelError: The models or the version of the package have changed meanwhile.
        """
        provenance, self._feed, so_far = state
        if provenance != self._cascade.rule.provenance:
            raise ModelError(self._name, "was pickled with other models or another ecg_edge; start a new stream")
        self._so_far = SoFar.from_state(self._cascade, so_far)

    @property
    def samples(self) -> int:
        """Samples of each lead so far, at the feed's rate."""
        return self._feed.latest.stop

    def push(self, chunk: NDArray[np.generic]) -> list[StreamWindow]:
        """Take the next samples.

        Args:
            chunk: Any real data type, shape (leads, n), n may be 0.

        Returns:
            The windows of the first stage that these samples complete. If the window that ends at the last sample is
            not a regular one, it counts only in `finding`.

        Raises:
            WrongShapeError: The chunk is not leads by samples.
            WrongTypeError: It does not hold real numbers.
            InvalidRecordingError: It is masked or a table.
        """
        return self._so_far.push(self._feed.push(chunk))

    def finding(self, *, last_s: float | None = None, all_sites: bool = False) -> Finding:
        """Return the answer so far.

        Args:
            last_s: Answer only the last seconds, as `Detector.detect` answers a recording of these samples. At most
                `LONGEST_LAST_S`; None: all samples since the start.
            all_sites: Give the sites even if no infarction is found.

        Raises:
            ValueError: `last_s` is out of range.
            UncomputableError: The gate is set to warn and the result is not finite.
        """
        if last_s is not None and not 0 < last_s <= LONGEST_LAST_S:
            msg = f"last_s is {last_s}, expected more than 0 and at most {LONGEST_LAST_S}"
            raise ValueError(msg)
        rate = self.sampling_rate
        n_samples = self.samples if last_s is None else min(round(last_s * rate), self.samples)
        subject = Subject(self._name, "", n_samples / rate, rate, self._feed.empty_leads.derived)
        rule = self._cascade.rule
        refusal = None if n_samples else rule.refuse_short(subject, 0)
        if refusal is not None:
            return refusal
        if last_s is not None or self._feed.samples in self._whole_lengths:
            signal = self._feed.latest.stretch(self.samples - n_samples, self.samples)
            recording = Recording(signal, rate, name=self._name)
            finding = self._cascade.answer([recording], all_sites=all_sites, windows=False)[0]
            return rule.warn_of_derived_leads(finding, subject)
        pending = self._feed.pending()
        so_far = self._so_far
        if pending.shape[1]:
            so_far = so_far.copy()
            so_far.push(pending)
        return so_far.finding(self._cascade, subject, self._read_end, all_sites=all_sites)

    def _read_end(self) -> Recording:
        """Return the latest seconds at the feed's own rate."""
        start = max(0, self.samples - round(END_S * self.sampling_rate))
        return Recording(self._feed.latest.stretch(start, self.samples), self.sampling_rate)


class _StreamMaker(Protocol):
    """A detector, as a stream that is unpickled needs it."""

    def stream(self, *, sampling_rate: float, leads: Sequence[str], units: str, name: str) -> Stream: ...


def _make(detector: _StreamMaker, sampling_rate: float, leads: Sequence[str], units: str, name: str) -> Stream:
    return detector.stream(sampling_rate=sampling_rate, leads=leads, units=units, name=name)
