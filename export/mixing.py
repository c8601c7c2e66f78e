"""Recordings that nobody had: the beats of one person, moved towards the beats of another.

Such a beat is what the heart of neither shows, but it has waves that can be measured. What boosting says of its
measurements is known without a label, so a network can learn from more recordings than there are.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from export.dataset import Dataset
from export.measurements.beats import AFTER, BEFORE, Array, centre, clean, find_beats, make_median_beat
from export.measurements.measure import NAMES, measure

LEAST_SHARE, MOST_SHARE = 0.2, 0.8
"""Limits of the part of a mixed beat that is the first person's."""
_INFARCTIONS = 0.4
"""Share of the pairs one of whom has an infarction for certain."""
_MICROVOLTS = 1000
_QRS = slice(BEFORE - 40, BEFORE + 60)
_ALIKE = 0.7
_RAMP = 30
# A beat is changed from here before it to there after it, in parts of the time to its neighbours.
_PART_BEFORE, _PART_AFTER = 0.45, 0.6

Report = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class MixedRecordings:
    """Made recordings. Row i of each array belongs to the same one."""

    microvolts: NDArray[np.int16]
    """At 500 Hz, shape (recordings, 12, samples)."""
    measured: Array
    """Shape (recordings, measurements)."""
    people: tuple[tuple[str, str], ...]
    """The two patients of each."""

    def select(self, learned: set[str], most: int) -> NDArray[np.int64]:
        """Return the rows of recordings that may be learned from, the first ones.

        Args:
            learned: Both people of a recording must be among these.
            most: No more rows than this.
        """
        return np.array([row for row, pair in enumerate(self.people) if learned.issuperset(pair)][:most], np.int64)

    def signals(self, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        """Return recordings in millivolts, shape (rows, 12, samples)."""
        return self.microvolts[rows].astype(np.float32) / np.float32(_MICROVOLTS)


class Beats(NamedTuple):
    """The beats of a recording."""

    median: Array
    """Millivolts, shape (12, BEFORE + AFTER)."""
    places: NDArray[np.int64]
    """Sample of the greatest deflection of each beat."""


def mix_recordings(dataset: Dataset, count: int, seed: int, report: Report = lambda _: None) -> MixedRecordings:
    """Make recordings from random pairs of labelled and coded records.

    Args:
        dataset: The records.
        count: How many are made. A pair one of whom has no beat that can be found gives none.
        seed: Of everything that is random.
        report: Called with a line after each hundred.
    """
    signals = [*dataset.signals, *dataset.coded.signals]
    people = [*dataset.patients, *dataset.coded.patients]
    infarctions = np.flatnonzero(dataset.infarction[:, 0])
    random = np.random.default_rng(seed)
    beats = [find_own_beats(signal) for signal in signals] if count else []
    made: list[NDArray[np.int16]] = []
    measured: list[Array] = []
    pairs: list[tuple[str, str]] = []
    for number in range(1, count + 1):
        first, second, share = _draw_pair(len(signals), infarctions, random)
        own, other = beats[first], beats[second]
        if own is not None and other is not None:
            mixed = mix(centre(signals[first]), own, other.median, share)
            made.append((mixed * _MICROVOLTS).round().clip(-32768, 32767).astype(np.int16))
            measured.append(measure(mixed))
            pairs.append((people[first], people[second]))
        if number % 100 == 0:
            report(f"mixed {number} of {count} recordings")
    return MixedRecordings(
        np.array(made, np.int16).reshape(-1, *dataset.signals.shape[1:]),
        np.array(measured).reshape(-1, len(NAMES)),
        tuple(pairs),
    )


def mix(signal: Array, own: Beats, other: Array, share: float) -> Array:
    """Return a recording whose beats are partly those of another person; rhythm and noise stay.

    Beats of another shape than the median beat, such as extrasystoles, stay as they are.

    Args:
        signal: Millivolts at 500 Hz, shape (12, samples).
        own: Its beats.
        other: Median beat of the other, shape (12, BEFORE + AFTER).
        share: Part of a beat that stays.
    """
    mixed = signal.copy()
    change = (1 - share) * (other - own.median)
    for number, place in enumerate(own.places):
        start, end = max(place - BEFORE, 0), min(place + AFTER, signal.shape[1])
        part = slice(start - place + BEFORE, end - place + BEFORE)
        if _is_alike(signal[:, start:end], own.median[:, part], part.start):
            mixed[:, start:end] += (change * _fade(own.places, number))[:, part]
    return mixed


def _draw_pair(count: int, infarctions: NDArray[np.int64], random: np.random.Generator) -> tuple[int, int, float]:
    first = int(random.integers(count))
    chosen = len(infarctions) > 0 and random.random() < _INFARCTIONS
    second = int(random.choice(infarctions)) if chosen else int(random.integers(count))
    if random.random() < 0.5:
        first, second = second, first
    return first, second, float(random.uniform(LEAST_SHARE, MOST_SHARE))


def find_own_beats(signal: NDArray[np.floating]) -> Beats | None:
    """Return the beats of a recording, shape (12, samples) in millivolts at 500 Hz; None if none can be measured."""
    centred = centre(signal)
    beat = make_median_beat(centred)
    return None if beat is None else Beats(beat.millivolts, find_beats(clean(centred)))


def _is_alike(beat: Array, median: Array, start: int) -> bool:
    """Return whether a beat has the shape of the median beat, of which both show the samples from `start` on."""
    qrs = slice(max(_QRS.start - start, 0), max(_QRS.stop - start, 0))
    a, b = (x[:, qrs] - x[:, qrs].mean(axis=1, keepdims=True) for x in (beat, median))
    return float((a * b).sum()) >= _ALIKE * float(np.linalg.norm(a) * np.linalg.norm(b))


def _fade(places: NDArray[np.int64], number: int) -> Array:
    """Return how far each sample of a beat is changed, 0 to 1, so that neighbours are not, shape (BEFORE + AFTER,)."""
    before, after = BEFORE, AFTER
    if number > 0:
        before = min(before, int(_PART_BEFORE * (places[number] - places[number - 1])))
    if number < len(places) - 1:
        after = min(after, int(_PART_AFTER * (places[number + 1] - places[number])))
    weight = np.zeros(BEFORE + AFTER)
    weight[BEFORE - before : BEFORE + after] = 1
    ramp = 0.5 - 0.5 * np.cos(np.pi * np.arange(_RAMP) / _RAMP)
    weight[BEFORE - before : BEFORE - before + _RAMP] = ramp
    weight[BEFORE + after - _RAMP : BEFORE + after] = ramp[::-1]
    return weight
