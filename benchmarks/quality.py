"""False alarms and hits of the quality rules on real records: `python -m benchmarks.quality DATA`.

DATA holds folders of .npy files: `train` with train_meta.csv, `test`, `more`, and `other_devices` with
other_devices.csv. A false alarm of a warning is one on a train record that has no note of that kind by the human
readers, a hit one on a record that has. The other folders have no notes, so there all are counted. Hits of the other
rules are measured on training records spoilt in just that way.
"""

import csv
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path

import click
import numpy as np
from numpy.typing import NDArray

from ecg_edge.quality.measures import RATE
from ecg_edge.quality.monitor import QualityMonitor
from ecg_edge.quality.rules import RULES
from ecg_edge.readers import read_recording
from ecg_edge.recording.resampling import resample

Signal = NDArray[np.float32]

_NOTES = {
    "muscle_noise": ("static_noise", "burst_noise"),
    "baseline_wander": ("baseline_drift",),
    "pacing_spikes": ("pacemaker",),
    "flat_lead": ("electrodes_problems",),
}
_SECONDS = np.arange(5000, dtype=np.float32) / 500


def _replace(signal: Signal, leads: list[int], values: Signal | float) -> Signal:
    spoilt = signal.copy()
    spoilt[leads] = values
    return spoilt


def _mark_lead(lead: int) -> NDArray[np.bool_]:
    rows: NDArray[np.bool_] = np.arange(12)[:, None] == lead
    return rows


def _swap_arms(signal: Signal) -> Signal:
    return np.concatenate([-signal[:1], signal[[2, 1, 4, 3, 5]], signal[6:]])


def _clip(signal: Signal) -> Signal:
    limit = np.abs(signal).max(axis=1, keepdims=True) / 2
    clipped: Signal = np.clip(signal, -limit, limit)
    return clipped


def _make_noise(n_leads: int, rms_mv: float) -> Signal:
    return np.random.default_rng(0).normal(0, rms_mv, (n_leads, 5000)).astype(np.float32)


def _scatter_phases(signal: Signal) -> Signal:
    """Return a signal with the same spectra and limb lead relations, but without beats."""
    turns = np.exp(2j * np.pi * np.random.default_rng(0).random(2501))
    scattered: Signal = np.fft.irfft(np.fft.rfft(signal) * turns, 5000).astype(np.float32)
    return scattered


_SPOILT: dict[str, tuple[str, Callable[[Signal], Signal]]] = {
    "not_finite": (
        "10 ms of V1 missing",
        lambda x: np.where(_mark_lead(6) & (np.abs(_SECONDS - 5) < 0.005), np.float32("nan"), x),
    ),
    "beyond_volts": ("one sample of 5 V", lambda x: np.where(np.arange(5000) == 4321, np.float32(5000), x)),
    "too_large": ("microvolts", lambda x: x * 1000),
    "too_small": ("volts", lambda x: x * np.float32(0.001)),
    "leads_over_range": ("V1 and V2 at +400 mV", lambda x: _replace(x, [6, 7], x[6:8] + 400)),
    "flat_lead": (
        "V3 zero for 2 s",
        lambda x: x * ~(_mark_lead(8) & (np.abs(_SECONDS - 5) < 1)),
    ),
    "dead_leads": ("V3 and V4 zero", lambda x: _replace(x, [8, 9], 0)),
    "clipped_lead": ("V3 clipped at half its height", lambda x: _replace(x, [8], _clip(x[8:9]))),
    "clipped_leads": ("all clipped at half their height", _clip),
    "limb_leads": ("I and II exchanged", lambda x: x[[1, 0, *range(2, 12)]]),
    "swapped_arms": ("arm electrodes exchanged", _swap_arms),
    "faint_chest_lead": (
        "V3 with 10 uV of noise alone",
        lambda x: _replace(x, [8], _make_noise(1, 0.01)),
    ),
    "faint_chest_leads": (
        "V1 to V6 with 10 uV of noise alone",
        lambda x: _replace(x, [*range(6, 12)], _make_noise(6, 0.01)),
    ),
    "low_amplitude": ("a tenth of the amplitude", lambda x: x * np.float32(0.1)),
    "no_qrs": ("random phases", _scatter_phases),
    "inverted_leads": ("all leads inverted", lambda x: -x),
    "equal_leads": ("V1 a copy of V2", lambda x: _replace(x, [6], x[7])),
    "mains_hum": ("0.03 mV of 50 Hz", lambda x: x + (0.03 * np.sin(100 * np.pi * _SECONDS)).astype(np.float32)),
}


@click.command()
@click.argument("data", type=click.Path(exists=True, file_okay=False, path_type=Path))
def main(data: Path) -> None:
    """Print the table of rules with their false alarms and hits on the real records in DATA."""
    with (data / "train" / "train_meta.csv").open(newline="", encoding="utf-8") as file:
        notes = {row["record_name"]: row for row in csv.DictReader(file)}
    train = {path.stem: _read_signal(path) for path in sorted((data / "train").glob("*.npy"))}
    codes = {name: _measure_codes(signal) for name, signal in train.items()}
    test = [_read_signal(path) for folder in ("test", "more") for path in sorted((data / folder).glob("*.npy"))]
    others = list(_read_other_devices(data / "other_devices"))
    of_test, of_others = _count_codes(test), _count_codes(others)
    columns = ("code", "verdict", "limit", "what it limits", "source", "train", "test, more", "other devices", "hits")
    click.echo(f"| {' | '.join(columns)} |")
    click.echo("|---|---|---|---|---|---|---|---|---|")
    for rule in RULES.values():
        noted = [name for name in train if any(notes[name][kind].strip(" ,") for kind in _NOTES.get(rule.code, ()))]
        alarms = sum(rule.code in codes[name] for name in train if name not in set(noted))
        cells = [
            f"`{rule.code}`",
            _word_verdict(rule.refuses_over, rule.warns_from_s),
            f"{rule.limit:g} {rule.unit}".strip(),
            rule.meaning,
            rule.source,
            _show_share(alarms, len(train) - len(noted)),
            _show_share(of_test[rule.code], len(test)),
            _show_share(of_others[rule.code], len(others)),
            "; ".join(_list_hits(rule.code, codes, noted, train.values())),
        ]
        click.echo(f"| {' | '.join(cells)} |")


def _read_signal(path: Path) -> Signal:
    return read_recording(path).stretch(0, 5000)


def _read_other_devices(folder: Path) -> Iterable[Signal]:
    with (folder / "other_devices.csv").open(newline="", encoding="utf-8") as file:
        rates = {row["record_name"]: float(row["sampling_rate"]) for row in csv.DictReader(file)}
    for name, rate in rates.items():
        recording = read_recording(folder / f"{name}.npy", sampling_rate=rate)
        recording = recording if rate == RATE else resample(recording, RATE)
        yield recording.stretch(0, recording.samples)


def _count_codes(signals: Iterable[Signal]) -> Counter[str]:
    return Counter(code for signal in signals for code in _measure_codes(signal))


def _measure_codes(signal: Signal) -> set[str]:
    monitor = QualityMonitor()
    monitor.push(np.ascontiguousarray(signal, np.float32))
    report = monitor.report()
    return {note.code for note in (*report.reasons, *report.warnings)}


def _word_verdict(refuses_over: float | None, warns_from_s: float | None) -> str:
    refuses = "" if refuses_over is None else f"refuse over {refuses_over:.0%}" if refuses_over else "refuse"
    warns = "" if warns_from_s is None else f"warn from {warns_from_s:g} s" if warns_from_s else "warn"
    return ", else ".join(verdict for verdict in (refuses, warns) if verdict) or "mark"


def _list_hits(code: str, codes: dict[str, set[str]], noted: list[str], signals: Iterable[Signal]) -> Iterable[str]:
    if noted:
        kinds = " or ".join(_NOTES[code])
        yield f"{_show_share(sum(code in codes[name] for name in noted), len(noted))} noted {kinds}"
    if code in _SPOILT:
        what, spoil = _SPOILT[code]
        found = [code in _measure_codes(spoil(signal)) for signal in list(signals)[::8]]
        yield f"{_show_share(sum(found), len(found))} spoilt: {what}"


def _show_share(count: int, of: int) -> str:
    return f"{count}/{of} ({100 * count / of:.1f}%)"


if __name__ == "__main__":
    main()
