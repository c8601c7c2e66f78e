"""What a signal must be to be answered at all, and what is worth a warning."""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from ecg_edge.findings import Note
from ecg_edge.quality import measures
from ecg_edge.quality import messages as notes
from ecg_edge.quality.episodes import EpisodeTracker
from ecg_edge.quality.limb_leads import covariance
from ecg_edge.quality.report import QualityReport
from ecg_edge.quality.rules import RULES
from ecg_edge.recording.leads import LEADS

_LIMITS = {code: rule.limit for code, rule in RULES.items()}
_HUM_OF_NOISE = 0.2
_BLOCK_S = measures.BLOCK / measures.RATE
_BLOCKS_OF_A_SECOND = measures.SECOND // measures.BLOCK
# Below this energy of a stretch, in mV squared, no sample of it is beyond volts.
_HARMLESS = _LIMITS["beyond_volts"] ** 2

_BLOCK_ROWS: list[notes.Row] = [
    *(("over_range", lead, None) for lead in LEADS),
    ("leads_over_range", None, None),
    ("dead_leads", None, None),
    ("unusable", None, None),
]
_AVR, _SHOWN = LEADS.index("aVR"), LEADS.index("V2")
_UNUSABLE = len(_BLOCK_ROWS) - 1
_FLAT_ROWS: list[notes.Row] = [("flat_lead", lead, None) for lead in LEADS]
_SECOND_ROWS: list[notes.Row] = [
    *((code, None, None) for code in ("too_large", "too_small", "clipped_leads", "limb_leads", "pacing_spikes")),
    *(("mains_hum", lead, hz) for hz in measures.MAINS_HZ for lead in LEADS),
    *((code, lead, None) for code in ("clipped_lead", "baseline_wander", "muscle_noise") for lead in LEADS),
]
_ROWS_OF = {code: [i for i, row in enumerate(_SECOND_ROWS) if row[0] == code] for code, _, _ in _SECOND_ROWS}
_OF_NOTE = measures.Noticeable(
    hum=_LIMITS["mains_hum"],
    roughness=_LIMITS["muscle_noise"],
    spike=_LIMITS["pacing_spikes"],
    limb_residual=_LIMITS["limb_leads"],
)
_OF_ONE_LEAD = {"leads_over_range": "over_range", "dead_leads": "flat_lead", "clipped_leads": "clipped_lead"}


class QualityMonitor:
    """Listens to a recording as it comes, in memory that does not grow, and reports at any time.

    Whatever the stretches in which the same samples come, the report is the same: everything is measured on blocks of
    0.2 s and on seconds that are counted from the first sample; what has not filled its block or second yet is only
    looked at for samples that no model could answer.
    """

    def __init__(self) -> None:
        self.samples = 0
        self.first_not_finite: tuple[str, float] | None = None
        """Lead and second of the first sample that is NaN, infinite or beyond float32."""
        self.highest_mv = 0.0
        """Largest finite distance from 0 among samples that had to be looked at one by one."""
        self._held = np.zeros((len(LEADS), 0), np.float32)
        self._flat = np.zeros((len(LEADS), _BLOCKS_OF_A_SECOND - 1), bool)
        self._blocks = EpisodeTracker(len(_BLOCK_ROWS), _BLOCK_S)
        self._flats = EpisodeTracker(len(_FLAT_ROWS), _BLOCK_S, lead_in=_BLOCKS_OF_A_SECOND - 1)
        self._seconds = EpisodeTracker(len(_SECOND_ROWS), 1.0)
        self._mean: NDArray[np.float32] | None = None
        self._extremes = np.zeros((2, len(LEADS), 0), np.float32)
        self._arms, self._avr_up = np.zeros((2, 2)), 0.0
        self._span, self._n_spans = 0.0, 0
        self._limbs, self._n_limbs = np.zeros((6, 6)), 0

    def push(self, stretch: NDArray[np.float32]) -> NDArray[np.bool_]:
        """Listen to the next samples.

        Args:
            stretch: Millivolts at 500 Hz, shape (12, n), n from 0 on.

        Returns:
            Of each block of `BLOCK` samples that they complete, whether it is unusable, shape (blocks,).
        """
        if not stretch.shape[1]:
            return np.zeros(0, bool)
        flat = stretch.ravel()
        with np.errstate(over="ignore", invalid="ignore"):
            energy = np.dot(flat, flat)
        if not energy < _HARMLESS:
            stretch = self._tamed(stretch)
        if not self.samples:
            self._held = np.repeat(stretch[:, :1], measures.LOOKBACK, axis=1)
        self.samples += stretch.shape[1]
        held = np.concatenate([self._held, stretch], axis=1)
        unusable = self._judge_blocks(held)
        whole = (held.shape[1] - measures.LOOKBACK) // measures.SECOND * measures.SECOND
        if whole:
            self._judge_seconds(held[:, : measures.LOOKBACK + whole])
            held = held[:, whole:].copy()
        self._held = held
        return unusable

    def _tamed(self, stretch: NDArray[np.float32]) -> NDArray[np.float32]:
        """Note what no model could answer, and put in its place what can be measured."""
        finite = np.isfinite(stretch)
        if self.first_not_finite is None and not finite.all():
            at = int(np.argmin(finite.all(axis=0)))
            lead = LEADS[int(np.argmin(finite[:, at]))]
            self.first_not_finite = lead, (self.samples + at) / measures.RATE
        self.highest_mv = max(self.highest_mv, float(np.abs(stretch).max(where=finite, initial=0)))
        return np.where(finite, stretch, np.float32(0)).clip(-1e6, 1e6)

    def _judge_blocks(self, held: NDArray[np.float32]) -> NDArray[np.bool_]:
        start = measures.LOOKBACK + self._blocks.n_steps % _BLOCKS_OF_A_SECOND * measures.BLOCK
        n_new = (held.shape[1] - start) // measures.BLOCK
        if not n_new:
            return np.zeros(0, bool)
        new = held[:, start : start + n_new * measures.BLOCK]
        firsts = np.arange(0, n_new * measures.BLOCK, measures.BLOCK)
        extremes = np.empty((2, len(LEADS), n_new), np.float32)
        highest, lowest = extremes
        np.maximum.reduceat(new, firsts, axis=1, out=highest)
        np.minimum.reduceat(new, firsts, axis=1, out=lowest)
        self._extremes = np.concatenate([self._extremes, extremes], axis=2)
        flat = highest - lowest <= _LIMITS["flat_lead"]
        farthest = max(highest.max(), -lowest.min())
        if farthest <= _LIMITS["over_range"] and not flat.any():
            self._blocks.skip(n_new)
            self._flats.skip(n_new)
            self._flat[:] = False
            return np.zeros(n_new, bool)
        over = np.maximum(highest, -lowest) > _LIMITS["over_range"]
        unusable: NDArray[np.bool_] = (flat | over).sum(axis=0) >= _LIMITS["unusable"]
        both = [over.sum(axis=0) >= _LIMITS["leads_over_range"], flat.sum(axis=0) >= _LIMITS["dead_leads"], unusable]
        self._blocks.push(np.concatenate([over, np.stack(both)]))
        flats = np.concatenate([self._flat, flat], axis=1)
        for_a_second: NDArray[np.bool_] = np.logical_and.reduce(
            sliding_window_view(flats, _BLOCKS_OF_A_SECOND, axis=1), axis=-1
        )
        self._flats.push(for_a_second)
        self._flat = flats[:, 1 - _BLOCKS_OF_A_SECOND :].copy()
        return unusable

    def _judge_seconds(self, samples: NDArray[np.float32]) -> None:
        found = measures.measure(samples, _OF_NOTE)
        n_seconds = found.mean.shape[1]
        raised = self._misscaled(found.mean) | self._wander(found.mean)
        if found.limb_residual is not None:
            raised["limb_leads"] = self._broken_limbs(samples[:, measures.LOOKBACK :], found.limb_residual)
        if found.spike is not None:
            raised["pacing_spikes"] = (found.spike > _LIMITS["pacing_spikes"]).sum(axis=0) >= 2
        if found.noise is not None:
            *hum, roughness = found.noise
            # Noise has its share of 50 and 60 Hz too.
            limit = _LIMITS["mains_hum"] + _HUM_OF_NOISE * roughness
            raised["mains_hum"] = np.concatenate([each > limit for each in hum])
            raised["muscle_noise"] = roughness > _LIMITS["muscle_noise"]
        if found.clip_edges is not None:
            clipped = raised["clipped_lead"] = found.clip_edges >= _LIMITS["clipped_lead"]
            raised["clipped_leads"] = clipped.sum(axis=0) >= _LIMITS["clipped_leads"]
        if raised:
            flags = np.zeros((len(_SECOND_ROWS), n_seconds), bool)
            for code, where in raised.items():
                flags[_ROWS_OF[code]] = where
            self._seconds.push(flags)
        else:
            self._seconds.skip(n_seconds)
        self._arms += found.arms

    def _wander(self, mean: NDArray[np.float32]) -> dict[str, NDArray[np.bool_]]:
        """Compare the mean of each second with that of the second before."""
        means = np.concatenate([mean[:, :1] if self._mean is None else self._mean, mean], axis=1)
        self._mean = mean[:, -1:].copy()
        wander = np.abs(means[:, 1:] - means[:, :-1]) > _LIMITS["baseline_wander"]
        return {"baseline_wander": wander} if wander.any() else {}

    def _misscaled(self, mean: NDArray[np.float32]) -> dict[str, NDArray[np.bool_]]:
        """Judge the leads' peak-to-peak in each second."""
        n_blocks = mean.shape[1] * _BLOCKS_OF_A_SECOND
        whole, self._extremes = self._extremes[:, :, :n_blocks], self._extremes[:, :, n_blocks:].copy()
        up_in_blocks = float(whole[:, _AVR].sum(dtype=np.float64)) / _BLOCKS_OF_A_SECOND
        self._avr_up += up_in_blocks - 2 * float(mean[_AVR].sum(dtype=np.float64))
        highest, lowest = whole.reshape(2, len(LEADS), -1, _BLOCKS_OF_A_SECOND)
        # One lead shows that the samples are not too small, the farthest sample that they are not too large.
        shown = highest[_SHOWN].max(axis=-1) - lowest[_SHOWN].min(axis=-1)
        if shown.min() >= _LIMITS["too_small"] and highest.max() - lowest.min() <= _LIMITS["too_large"]:
            return {}
        spans = highest.max(axis=-1) - lowest.min(axis=-1)
        largest = spans.max(axis=0)
        median = np.sort(spans, axis=0)[len(LEADS) // 2]
        too_large, too_small = median > _LIMITS["too_large"], (largest > 0) & (largest < _LIMITS["too_small"])
        self._span += float(median[too_large | too_small].sum(dtype=np.float64))
        self._n_spans += int(np.count_nonzero(too_large | too_small))
        return {"too_large": too_large, "too_small": too_small}

    def _broken_limbs(self, signal: NDArray[np.float32], residual: NDArray[np.float64]) -> NDArray[np.bool_]:
        broken = residual > _LIMITS["limb_leads"]
        for second in np.flatnonzero(broken):
            limbs = covariance(signal[:6, second * measures.SECOND : (second + 1) * measures.SECOND])
            broken[second] = residual[second] > notes.limb_limit(limbs)
            if broken[second]:
                self._limbs += limbs
                self._n_limbs += 1
        return broken

    def report(self) -> QualityReport:
        """Return what there is to say of the samples so far."""
        followed = [
            *notes.followed(self._blocks, _BLOCK_ROWS),
            *notes.followed(self._flats, _FLAT_ROWS),
            *notes.followed(self._seconds, _SECOND_ROWS),
        ]
        warnings = [note for note, refuses in followed if not refuses]
        reasons = [self._explained(note, warnings) for note, refuses in followed if refuses]
        warnings = [self._explained(note, warnings) for note in warnings]
        if misscaled := [note for note in reasons if note.code in ("too_large", "too_small")]:
            # In a wrong unit nothing else that was measured means anything.
            reasons, warnings = misscaled, []
        elif self.highest_mv > _LIMITS["beyond_volts"]:
            reasons.append(notes.beyond_volts(self.highest_mv))
        if self.first_not_finite is not None:
            reasons.insert(0, notes.not_finite(*self.first_not_finite))
        if not misscaled and self._arms_look_swapped():
            warnings.append(notes.swapped_arms())
        return QualityReport(tuple(reasons), tuple(warnings), self._blocks.total_s(_UNUSABLE))

    def _explained(self, note: Note, warnings: list[Note]) -> Note:
        """Return a note with what the whole recording tells of its cause."""
        if note.code in ("too_large", "too_small"):
            return notes.proposing_unit(note, self._span / self._n_spans)
        if note.code == "limb_leads":
            return notes.proposing_labels(note, self._limbs / self._n_limbs)
        return notes.naming_leads(note, warnings, _OF_ONE_LEAD[note.code]) if note.code in _OF_ONE_LEAD else note

    def _arms_look_swapped(self) -> bool:
        (i_i, i_v6), (_, v6_v6) = self._arms
        return bool(self._avr_up > 0 and i_v6 < _LIMITS["swapped_arms"] * np.sqrt(i_i * v6_v6))
