"""Convert the chunks of a live feed to what the models take: twelve leads in order, in mV, at their sampling rate."""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ecg_edge.errors import InvalidRecordingError, WrongShapeError, WrongTypeError
from ecg_edge.recording.arguments import check_leads, check_rate, check_signal
from ecg_edge.recording.empty_leads import EmptyLeads
from ecg_edge.recording.filter_blocks import find_repeat
from ecg_edge.recording.leads import LEADS, find_arrangement
from ecg_edge.recording.resampling import Resampler, resampled_length, same_rate
from ecg_edge.recording.sample_buffer import SampleBuffer
from ecg_edge.recording.units import IN_MILLIVOLTS, canonical_units

# Seconds after which the output of a new filter no longer depends on where it started.
_SETTLED_S = 2
# Seconds after which it gives the bits of an older filter, if it starts where the blocks of that one repeat.
_REPEATED_S = 10
# Samples of both rates must coincide within this time, in seconds, so that a new filter can start at any time.
_COINCIDE_S = 30


class LiveFeed:
    """Converts chunks as a device sends them to samples as the models take them.

    Args:
        sampling_rate: Samples per second of the chunks.
        leads: Names of the chunks' rows, as `Recording` takes them.
        units: Unit of the chunks.
        rate: Samples per second that the models take.
        keep_s: Seconds of recent samples to keep, at the rate of the chunks.

    Raises:
        InvalidRecordingError: The leads, units or sampling rate are not supported.
        MissingExtraError: The chunks must be resampled and soxr is not installed.
    """

    def __init__(self, sampling_rate: float, leads: Sequence[str], units: str, rate: float, keep_s: float) -> None:
        self._n_leads, self._arrangement = len(leads), find_arrangement(check_leads(leads))
        self._scale = np.float32(IN_MILLIVOLTS[canonical_units(units)])
        self.sampling_rate, self._rate = check_rate(sampling_rate), rate
        self._resampler = None if same_rate(sampling_rate, rate) else Resampler(sampling_rate, rate)
        self._spacing = 1 if self._resampler is None else _count_coinciding_samples(self.sampling_rate, rate)
        # A new filter needs samples from before those that are pending in the live one.
        self.latest = SampleBuffer(round((keep_s + _COINCIDE_S * bool(self._resampler)) * sampling_rate))
        """Recent samples of the twelve leads, in millivolts, at the rate of the chunks."""
        self.empty_leads = EmptyLeads()
        self._given = 0

    def __setstate__(self, state: dict[str, object]) -> None:
        """Go on where the pickled feed was; its filter is made again from the samples that are kept."""
        vars(self).update(state)
        if self._resampler is not None:
            start, kept = self._choose_replay(), self.latest
            self._resampler.replay(kept.stretch(kept.start, start), kept.stretch(start, kept.stop))

    def _choose_replay(self) -> int:
        """Return where a new filter starts so that, if possible, it gives the bits that the old one would give."""
        if not self.latest.start:
            return 0
        settled = int((self._given / self._rate - _REPEATED_S) * self.sampling_rate)
        repeat = find_repeat(self.sampling_rate, self._rate, self._spacing)
        if repeat is not None and settled // repeat * repeat > self.latest.start:
            return settled // repeat * repeat
        return settled // self._spacing * self._spacing

    @property
    def samples(self) -> int:
        """Number of samples per lead so far, at the rate of the models."""
        if self._resampler is None:
            return self.latest.stop
        return resampled_length(self.latest.stop, self.sampling_rate, self._rate)

    def push(self, chunk: object) -> NDArray[np.float32]:
        """Take a chunk, shape (leads, n), and return the samples that are now finished, shape (12, m).

        Raises:
            WrongShapeError: The shape of the chunk is not (leads, samples).
            WrongTypeError: It does not hold real numbers.
            InvalidRecordingError: It is masked or a table.
        """
        raw = check_signal(chunk)
        if raw.dtype.kind not in "iuf":
            raise WrongTypeError(str(raw.dtype))
        if raw.ndim != 2 or raw.shape[0] != self._n_leads:
            raise WrongShapeError(raw.shape, self._n_leads)
        with np.errstate(over="ignore", invalid="ignore"):
            signal = self._arrangement.apply(raw)
            signal = self.empty_leads.derive(signal if self._scale == 1 else signal * self._scale)
        self.latest.append(signal)
        finished = signal if self._resampler is None else self._resampler.push(signal)
        self._given += finished.shape[1]
        return finished

    def pending(self) -> NDArray[np.float32]:
        """Return the samples that would still come if the feed ended now, shape (12, m).

        Flushing the live filter would end it, so a new filter processes the last seconds again.
        """
        if self._resampler is None or self._given == self.samples:
            return np.empty((len(LEADS), 0), np.float32)
        settled = self._given / self._rate - _SETTLED_S
        start = max(0, int(settled * self.sampling_rate) // self._spacing * self._spacing)
        fresh = Resampler(self.sampling_rate, self._rate)
        parts = [fresh.push(self.latest.stretch(start, self.latest.stop)), fresh.flush()]
        return np.concatenate(parts, axis=1)[:, self._given - round(start * self._rate / self.sampling_rate) :]


def _count_coinciding_samples(sampling_rate: float, rate: float) -> int:
    """Return the number of input samples between two coinciding sample times."""
    (a, b), (c, d) = rate.as_integer_ratio(), sampling_rate.as_integer_ratio()
    spacing = b * c // math.gcd(a * d, b * c)
    if spacing > _COINCIDE_S / 2 * sampling_rate:
        msg = (
            f"a live feed of {sampling_rate} Hz cannot be resampled to {rate:g} Hz; "
            f"its rate must be a whole number of Hz, or give a whole number of samples in a few seconds"
        )
        raise InvalidRecordingError(msg)
    return spacing
