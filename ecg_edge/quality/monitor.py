"""Measures a recording while it is read, and raises the flags of the quality rules."""

from copy import copy, deepcopy

import numpy as np
from numpy.typing import NDArray

from ecg_edge.quality import measures
from ecg_edge.quality.evidence import Evidence, flag_faint
from ecg_edge.quality.flags import LIMITS
from ecg_edge.quality.measures import BLOCKS_OF_A_SECOND
from ecg_edge.quality.report import QualityReport, make_report
from ecg_edge.quality.rules import HUM_OF_NOISE
from ecg_edge.recording.gaps import hold_last
from ecg_edge.recording.leads import LEADS

# If the energy of a stretch, in mV squared, is below this, none of its samples is beyond a volt.
_HARMLESS_ENERGY = LIMITS["beyond_volts"] ** 2
_THRESHOLDS = measures.Thresholds(
    hum=LIMITS["mains_hum"],
    roughness=LIMITS["muscle_noise"],
    spike=LIMITS["pacing_spikes"],
    limb_residual=LIMITS["limb_leads"],
)
_LEADS_WITH_SPIKES = 2
# No measure overflows on samples of this size.
_LARGEST_MEASURED_MV = 1e6


class QualityMonitor:
    """Measures a recording as it comes, in memory that does not grow, and reports at any time.

    The report depends on the samples alone, not on how they are cut into stretches: everything is measured on blocks of
    0.2 s and on seconds that are counted from the first sample. Samples that do not fill a block or second yet are only
    checked for values that no electrode gives.

    In place of a missing sample it measures the last one before. What it measures in a block or second of a lead with
    missing samples raises no flag.
    """

    def __init__(self) -> None:
        self.samples = 0
        self._evidence = Evidence()
        # What the next push needs of the past: samples, which of them are missing (None: no sample), means,
        # blocks' extremes.
        self._held = np.zeros((len(LEADS), measures.LOOKBACK), np.float32)
        self._missing: NDArray[np.bool_] | None = None
        self._mean: NDArray[np.float32] | None = None
        self._extremes = np.zeros((2, len(LEADS), 0), np.float32)

    def push(self, stretch: NDArray[np.float32]) -> NDArray[np.bool_]:
        """Measure the next samples.

        Args:
            stretch: Millivolts at 500 Hz, shape (12, n), n from 0 on.

        Returns:
            Whether each block of `BLOCK` samples that the stretch completes is unusable, shape (blocks,).
        """
        if not stretch.shape[1]:
            return np.zeros(0, bool)
        flat = stretch.ravel()
        with np.errstate(over="ignore", invalid="ignore"):
            energy = np.dot(flat, flat)
        # The energy is not finite if a sample is missing.
        if self._missing is not None or not energy < _HARMLESS_ENERGY:
            stretch = self._replace_impossible(stretch)
        if not self.samples:
            self._held = np.repeat(stretch[:, :1], measures.LOOKBACK, axis=1)
        self.samples += stretch.shape[1]
        self._held = np.concatenate([self._held, stretch], axis=1)
        unusable = self._flag_blocks()
        whole = (self._held.shape[1] - measures.LOOKBACK) // measures.SECOND * measures.SECOND
        if whole:
            self._flag_seconds(whole)
            self._forget(whole)
        return unusable

    def report(self) -> QualityReport:
        """Return the report of the samples so far."""
        evidence = self._evidence
        if self._missing is not None:
            # The last block is not complete, but its missing samples are known.
            evidence = copy(evidence)
            evidence.gaps = deepcopy(evidence.gaps)
            rest = self._missing[:, self._find_next_block() :]
            evidence.gaps.push({"not_finite": np.logical_or.reduce(rest, axis=1, keepdims=True)}, 1)
        return make_report(evidence, self.samples / measures.RATE)

    def _replace_impossible(self, stretch: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return a stretch with values that can be measured, and note which samples are missing."""
        finite, evidence = np.isfinite(stretch), self._evidence
        evidence.highest_mv = max(evidence.highest_mv, float(np.abs(stretch).max(where=finite, initial=0)))
        if self._missing is not None or not finite.all():
            before = np.zeros(self._held.shape, bool) if self._missing is None else self._missing
            self._missing = np.concatenate([before, ~finite], axis=1)
            stretch = hold_last(stretch, self._held[:, -1:])
        return stretch.clip(-_LARGEST_MEASURED_MV, _LARGEST_MEASURED_MV)

    def _forget(self, n_samples: int) -> None:
        """Drop the oldest samples."""
        self._held = self._held[:, n_samples:].copy()
        if self._missing is not None:
            rest = self._missing[:, n_samples:].copy()
            self._missing = rest if rest.any() else None

    def _find_next_block(self) -> int:
        """Return where the next block starts in the samples that are held."""
        return measures.LOOKBACK + self._evidence.blocks.n_steps % BLOCKS_OF_A_SECOND * measures.BLOCK

    def _flag_blocks(self) -> NDArray[np.bool_]:
        """Raise the flags of the blocks that are new, and return which of them are unusable."""
        evidence, start = self._evidence, self._find_next_block()
        n_new = (self._held.shape[1] - start) // measures.BLOCK
        if not n_new:
            return np.zeros(0, bool)
        new = slice(start, start + n_new * measures.BLOCK)
        extremes = measures.find_extremes(self._held[:, new])
        if self._missing is None:
            evidence.gaps.push({}, n_new)
        else:
            missing = measures.find_any(self._missing[:, new], measures.BLOCK)
            evidence.gaps.push({"not_finite": missing}, n_new)
            extremes[:, missing] = np.nan
        self._extremes = np.concatenate([self._extremes, extremes], axis=2)
        highest, lowest = extremes
        flat = highest - lowest <= LIMITS["flat_lead"]
        farthest = max(highest.max(), -lowest.min())
        if farthest <= LIMITS["over_range"] and not flat.any():
            evidence.blocks.push({}, n_new)
            evidence.flat.push({}, n_new)
            return np.zeros(n_new, bool)
        over = np.maximum(highest, -lowest) > LIMITS["over_range"]
        unusable: NDArray[np.bool_] = (flat | over).sum(axis=0) >= LIMITS["unusable"]
        raised = {
            "over_range": over,
            "leads_over_range": over.sum(axis=0) >= LIMITS["leads_over_range"],
            "dead_leads": flat.sum(axis=0) >= LIMITS["dead_leads"],
            "unusable": unusable,
        }
        evidence.blocks.push(raised, n_new)
        evidence.flat.push({"flat_lead": flat}, n_new)
        return unusable

    def _flag_seconds(self, n_samples: int) -> None:
        """Raise the flags of whole seconds of so many samples."""
        samples = self._held[:, : measures.LOOKBACK + n_samples]
        evidence, found = self._evidence, measures.measure(samples, _THRESHOLDS)
        if self._missing is not None:
            found = found.forget(measures.find_seconds_with_any(self._missing[:, : samples.shape[1]]))
        n_seconds = found.mean.shape[1]
        extremes, signal = self._take_extremes(n_seconds), samples[:, measures.LOOKBACK :]
        spans = measures.find_spans(extremes)
        raised = evidence.amplitude.flag(spans) | self._flag_wander(found.mean)
        if found.limb_residual is not None:
            raised["limb_leads"] = evidence.limb_leads.flag(signal, found.limb_residual)
        if found.spike is not None:
            spiky = found.spike > LIMITS["pacing_spikes"]
            raised["pacing_spikes"] = spiky.sum(axis=0) >= _LEADS_WITH_SPIKES
        if found.noise is not None:
            *hum, roughness = found.noise
            # Noise contains 50 and 60 Hz too.
            limit = LIMITS["mains_hum"] + HUM_OF_NOISE * roughness
            raised["mains_hum"] = np.concatenate([amplitude > limit for amplitude in hum])
            raised["muscle_noise"] = roughness > LIMITS["muscle_noise"]
        if found.clip_edges is not None:
            clipped = found.clip_edges >= LIMITS["clipped_lead"]
            raised["clipped_lead"] = clipped
            raised["clipped_leads"] = clipped.sum(axis=0) >= LIMITS["clipped_leads"]
        evidence.seconds.push(raised, n_seconds)
        evidence.faint.push(flag_faint(spans), n_seconds)
        without_qrs = evidence.beats.flag(found.slopes)
        evidence.no_qrs.push({"no_qrs": without_qrs}, len(without_qrs))
        evidence.polarity.add(found, extremes)
        evidence.equal_leads.add(signal, found.mean, spans)

    def _take_extremes(self, n_seconds: int) -> NDArray[np.float32]:
        """Return the extremes of the blocks of the next seconds, shape (2, 12, blocks), and forget them."""
        n_blocks = n_seconds * BLOCKS_OF_A_SECOND
        taken, self._extremes = self._extremes[:, :, :n_blocks], self._extremes[:, :, n_blocks:].copy()
        return taken

    def _flag_wander(self, mean: NDArray[np.float32]) -> dict[str, NDArray[np.bool_]]:
        """Compare the mean of each second with the mean of the second before."""
        means = np.concatenate([mean[:, :1] if self._mean is None else self._mean, mean], axis=1)
        self._mean = mean[:, -1:].copy()
        wander = np.abs(means[:, 1:] - means[:, :-1]) > LIMITS["baseline_wander"]
        return {"baseline_wander": wander} if wander.any() else {}
