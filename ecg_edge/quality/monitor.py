"""Measures recordings while they are read, and raises the flags of the quality rules."""

from copy import copy, deepcopy

import numpy as np
from numpy.typing import NDArray

from ecg_edge.quality import measures
from ecg_edge.quality.evidence import Evidence, flag_faint
from ecg_edge.quality.flags import LIMITS
from ecg_edge.quality.gaps import find_gaps_in_blocks, find_gaps_in_seconds
from ecg_edge.quality.measures import BLOCKS_OF_A_SECOND
from ecg_edge.quality.report import QualityReport, make_report
from ecg_edge.quality.rules import HUM_OF_NOISE, MOST_OFFSET_MV
from ecg_edge.recording.gaps import hold_last
from ecg_edge.recording.leads import DERIVED, LEADS

# If the energy of a stretch, in mV squared, is below this, none of its samples is beyond a volt.
_HARMLESS_ENERGY = LIMITS["beyond_volts"] ** 2
# A device measures I, II and the chest leads. What it derives from I and II adds up their offsets.
_N_OFFSETS = np.array([np.abs(DERIVED.get(lead, 1)).sum() for lead in LEADS])
_FARTHEST_MV = (MOST_OFFSET_MV + LIMITS["over_range"]) * _N_OFFSETS[:, None]
_THRESHOLDS = measures.Thresholds(
    hum=LIMITS["mains_hum"],
    roughness=LIMITS["muscle_noise"],
    spike=LIMITS["pacing_spikes"],
    limb_residual=LIMITS["limb_leads"],
)
_LEADS_WITH_SPIKES = 2
# No measure overflows on samples of this size.
_LARGEST_MEASURED_MV = 1e6


class StackMonitor:
    """Measures recordings of equal length as they come, in memory that does not grow, and reports at any time.

    A report depends on the samples of its recording alone, not on how they are cut into stretches: everything is
    measured on blocks of 0.2 s and on seconds that are counted from the first sample. Samples that do not fill a block
    or second yet are only checked for values that no electrode gives.

    In place of a missing sample it measures the last one before. What it measures in a block or second of a lead with
    missing samples raises no flag.
    """

    def __init__(self, n_recordings: int) -> None:
        self.samples = 0
        """Number of samples of each recording so far."""
        self._evidence = Evidence(n_recordings)
        # What the next push needs of the past: samples, which of them are missing (None: no sample), means, blocks'
        # extremes.
        self._held = np.zeros((n_recordings, len(LEADS), measures.LOOKBACK), np.float32)
        self._missing: NDArray[np.bool_] | None = None
        self._mean: NDArray[np.float64] | None = None
        self._extremes = np.zeros((2, n_recordings, len(LEADS), 0), np.float32)

    def push(self, stretches: NDArray[np.float32]) -> NDArray[np.bool_]:
        """Measure the next samples.

        Args:
            stretches: Millivolts at 500 Hz, shape (r, 12, n), n from 0 on.

        Returns:
            Whether each block of `BLOCK` samples that the stretches complete is unusable, shape (r, blocks).
        """
        if not stretches.shape[2]:
            return np.zeros((len(stretches), 0), bool)
        if self._missing is not None or not _are_possible(stretches):
            stretches = self._replace_impossible(stretches)
        if not self.samples:
            self._held = np.repeat(stretches[:, :, :1], measures.LOOKBACK, axis=2)
        self.samples += stretches.shape[2]
        self._held = np.concatenate([self._held, stretches], axis=2)
        unusable = self._flag_blocks()
        whole = (self._held.shape[2] - measures.LOOKBACK) // measures.SECOND * measures.SECOND
        if whole:
            self._flag_seconds(whole)
            self._forget(whole)
        return unusable

    def report(self, recording: int) -> QualityReport:
        """Return the report of the samples of a recording so far."""
        evidence = self._evidence
        if self._missing is not None:
            # The last block is not complete, but its missing samples are known.
            evidence = copy(evidence)
            evidence.gaps = deepcopy(evidence.gaps)
            rest = self._missing[:, :, self._find_next_block() :]
            evidence.gaps.push({"not_finite": np.logical_or.reduce(rest, axis=2, keepdims=True)}, 1)
        return make_report(evidence, recording, self.samples / measures.RATE)

    def _replace_impossible(self, stretches: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return stretches with values that can be measured, and note which samples are missing."""
        finite, evidence = np.isfinite(stretches), self._evidence
        highest_mv = np.abs(stretches).max(axis=(1, 2), where=finite, initial=0)
        evidence.highest_mv = np.maximum(evidence.highest_mv, highest_mv)
        if self._missing is not None or not finite.all():
            before = np.zeros(self._held.shape, bool) if self._missing is None else self._missing
            self._missing = np.concatenate([before, ~finite], axis=2)
            stretches = hold_last(stretches, self._held[:, :, -1:])
        return stretches.clip(-_LARGEST_MEASURED_MV, _LARGEST_MEASURED_MV)

    def _forget(self, n_samples: int) -> None:
        """Drop the oldest samples."""
        self._held = self._held[:, :, n_samples:].copy()
        if self._missing is not None:
            rest = self._missing[:, :, n_samples:].copy()
            self._missing = rest if rest.any() else None

    def _find_next_block(self) -> int:
        """Return where the next block starts in the samples that are held."""
        return measures.LOOKBACK + self._evidence.blocks.n_steps % BLOCKS_OF_A_SECOND * measures.BLOCK

    def _flag_blocks(self) -> NDArray[np.bool_]:
        """Raise the flags of the blocks that are new, and return which of them are unusable."""
        evidence, start = self._evidence, self._find_next_block()
        n_new = (self._held.shape[2] - start) // measures.BLOCK
        if not n_new:
            return np.zeros((len(self._held), 0), bool)
        new = slice(start, start + n_new * measures.BLOCK)
        extremes = measures.find_extremes(self._held[:, :, new])
        if self._missing is None:
            evidence.gaps.push({}, n_new)
        else:
            missing = find_gaps_in_blocks(self._missing[:, :, new])
            evidence.gaps.push({"not_finite": missing}, n_new)
            extremes[:, missing] = np.nan
        self._extremes = np.concatenate([self._extremes, extremes], axis=3)
        highest, lowest = extremes
        spans, farthest = highest - lowest, max(highest.max(), -lowest.min())
        if spans.min() > LIMITS["flat_lead"] and spans.max() <= LIMITS["over_range"] and farthest <= _FARTHEST_MV.min():
            evidence.blocks.push({}, n_new)
            evidence.flat.push({}, n_new)
            return np.zeros((len(spans), n_new), bool)
        flat = spans <= LIMITS["flat_lead"]
        over = (spans > LIMITS["over_range"]) | (np.maximum(highest, -lowest) > _FARTHEST_MV)
        unusable = _find_in_several(flat | over, LIMITS["unusable"])
        raised = {
            "over_range": over,
            "leads_over_range": _find_in_several(over, LIMITS["leads_over_range"]),
            "dead_leads": _find_in_several(flat, LIMITS["dead_leads"]),
            "unusable": unusable,
        }
        evidence.blocks.push(raised, n_new)
        evidence.flat.push({"flat_lead": flat}, n_new)
        return unusable[:, 0]

    def _flag_seconds(self, n_samples: int) -> None:
        """Raise the flags of the next whole seconds."""
        samples = self._held[:, :, : measures.LOOKBACK + n_samples]
        extremes = self._take_extremes(n_samples // measures.SECOND)
        evidence, found = self._evidence, measures.measure(samples, extremes, _THRESHOLDS)
        if self._missing is not None:
            found = found.forget(find_gaps_in_seconds(self._missing[:, :, : samples.shape[2]]))
        n_seconds, signal = found.mean.shape[2], samples[:, :, measures.LOOKBACK :]
        spans, at_rail = measures.measure_extremes(extremes, LIMITS["flat_lead"])
        raised = evidence.amplitude.flag(spans) | self._flag_wander(found.mean) | _flag_shapes(found, at_rail)
        if found.limb_residual is not None:
            raised["limb_leads"] = evidence.limb_leads.flag(signal, found.limb_residual)
        evidence.seconds.push(raised, n_seconds)
        evidence.faint.push(flag_faint(spans), n_seconds)
        without_qrs = evidence.beats.flag(found.slopes)
        evidence.no_qrs.push({"no_qrs": without_qrs} if without_qrs.any() else {}, without_qrs.shape[2])
        evidence.polarity.add(found, extremes)
        evidence.equal_leads.add(signal, spans)

    def _take_extremes(self, n_seconds: int) -> NDArray[np.float32]:
        """Return the extremes of the blocks of the next seconds, shape (2, r, 12, blocks), and forget them."""
        n_blocks = n_seconds * BLOCKS_OF_A_SECOND
        taken, self._extremes = self._extremes[..., :n_blocks], self._extremes[..., n_blocks:].copy()
        return taken

    def _flag_wander(self, mean: NDArray[np.float64]) -> dict[str, NDArray[np.bool_]]:
        """Compare the mean of each second with the mean of the second before."""
        means = np.concatenate([mean[:, :, :1] if self._mean is None else self._mean, mean], axis=2)
        self._mean = mean[:, :, -1:].copy()
        wander = np.abs(means[:, :, 1:] - means[:, :, :-1]) > LIMITS["baseline_wander"]
        return {"baseline_wander": wander} if wander.any() else {}


class QualityMonitor:
    """Measures one recording as it comes, see `StackMonitor`."""

    def __init__(self) -> None:
        self._stack = StackMonitor(1)

    def push(self, stretch: NDArray[np.float32]) -> NDArray[np.bool_]:
        """Measure the next samples, shape (12, n), and return whether each block that they complete is unusable."""
        blocks: NDArray[np.bool_] = self._stack.push(stretch[None])[0]
        return blocks

    def report(self) -> QualityReport:
        """Return the report of the samples so far."""
        return self._stack.report(0)


def _are_possible(stretches: NDArray[np.float32]) -> bool:
    """Return whether no sample is missing or beyond a volt."""
    flat = stretches.ravel()
    with np.errstate(over="ignore", invalid="ignore"):
        energy = np.dot(flat, flat)
    # Neither the energy nor the extremes are finite if a sample is missing.
    return bool(energy < _HARMLESS_ENERGY or max(flat.max(), -flat.min()) <= LIMITS["beyond_volts"])


def _flag_shapes(found: measures.Seconds, at_rail: NDArray[np.bool_]) -> dict[str, NDArray[np.bool_]]:
    """Return the flags of spikes, noise and clipping by code."""
    raised = {}
    if found.spike is not None:
        raised["pacing_spikes"] = _find_in_several(found.spike > LIMITS["pacing_spikes"], _LEADS_WITH_SPIKES)
    if found.noise is not None:
        *hum, roughness = found.noise
        # Noise contains 50 and 60 Hz too.
        limit = LIMITS["mains_hum"] + HUM_OF_NOISE * roughness
        raised["mains_hum"] = np.concatenate([amplitude > limit for amplitude in hum], axis=1)
        raised["muscle_noise"] = roughness > LIMITS["muscle_noise"]
    clipped = at_rail
    if found.clip_edges is not None:
        clipped = at_rail | (found.clip_edges >= LIMITS["clipped_lead"])
    if clipped.any():
        raised["clipped_lead"] = clipped
        raised["clipped_leads"] = _find_in_several(raised["clipped_lead"], LIMITS["clipped_leads"])
    return raised


def _find_in_several(flags: NDArray[np.bool_], n_leads: float) -> NDArray[np.bool_]:
    """Return where a flag is raised in a minimum number of leads, shape (r, 1, steps)."""
    several: NDArray[np.bool_] = np.count_nonzero(flags, axis=1, keepdims=True) >= n_leads
    return several
