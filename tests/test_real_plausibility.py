"""The shipped plausibility network on real records, as they are and spoiled. It has learned from them: no figures."""

import json
from collections import Counter

import numpy as np
import pytest

from ecg_edge import Detector, Recording
from ecg_edge.readers import find_records

N = 60
# Indices of the leads with two electrodes exchanged, and the signs.
EXCHANGES = {
    "swapped_arms": ((0, 2, 1, 4, 3, 5), (-1, 1, 1, 1, 1, 1)),
    "swapped_right_arm_left_leg": ((2, 1, 0, 5, 4, 3), (-1, -1, -1, 1, 1, 1)),
}


@pytest.fixture(scope="module")
def signals(records):
    some = list(find_records(records / "test"))[:N]
    return [item.read().stretch(0, 5000) for item in some]


@pytest.fixture(scope="module")
def count(shipped):
    """Count the recordings that get a code."""

    def of(signals, rate=500.0):
        findings = shipped.detect_many([Recording(signal, rate) for signal in signals])
        return Counter(note.code for finding in findings for note in (*finding.reasons, *finding.warnings))

    return of


PLAUSIBILITY_CODES = {
    "wrong_rate",
    "too_small",
    "too_large",
    "not_ecg",
    "swapped_right_arm_left_leg",
    "swapped_left_arm_left_leg",
    "reversed_chest_leads",
    "swapped_chest_leads",
    "reversed_time",
}


def test_unspoiled_records_are_left_alone(signals, count):
    assert sum(count(signals)[code] for code in PLAUSIBILITY_CODES) <= 1


def test_offsets_of_electrodes_change_nothing(signals, count):
    offsets = np.random.default_rng(0).uniform(-290, 290, (len(signals), 12, 1)).astype(np.float32)
    offsets[:, 2:6] = 0
    assert sum(count([x + o for x, o in zip(signals, offsets, strict=True)])[code] for code in PLAUSIBILITY_CODES) <= 1


@pytest.mark.parametrize(("true", "stated"), [(500, 250), (500, 1000), (500, 200), (500, 2000)])
def test_a_wrong_rate_is_refused_and_the_right_one_proposed(signals, shipped, true, stated):
    pytest.importorskip("soxr")
    findings = list(shipped.detect_many([Recording(signal, stated) for signal in signals]))
    refused = [finding for finding in findings if any(note.code == "wrong_rate" for note in finding.reasons)]
    assert len(refused) >= 0.9 * N
    proposed = [finding for finding in refused if f"probably about {true} Hz" in finding.reasons[0].message]
    assert len(proposed) >= 0.8 * len(refused)


@pytest.mark.parametrize(("code", "rows"), EXCHANGES.items())
def test_exchanged_limb_electrodes_are_named(signals, count, code, rows):
    order, signs = rows
    exchanged = [np.vstack([np.array(signs)[:, None] * x[list(order)], x[6:]]).astype(np.float32) for x in signals]
    assert count(exchanged)[code] >= 0.9 * N


@pytest.mark.parametrize(
    ("code", "change"),
    [
        ("inverted_leads", lambda x: -x),
        ("reversed_chest_leads", lambda x: np.vstack([x[:6], x[:5:-1]])),
        ("reversed_time", lambda x: np.ascontiguousarray(x[:, ::-1])),
        ("too_large", lambda x: 10 * x),
    ],
)
def test_other_faults_are_named(signals, count, code, change):
    assert count([change(signal) for signal in signals])[code] >= 0.9 * N


def test_a_tenth_of_the_amplitude_is_refused(signals, shipped):
    findings = shipped.detect_many([Recording(signal / 10) for signal in signals])
    assert sum(finding.status == "cannot_analyse" for finding in findings) >= 0.9 * N


def test_without_the_network_the_same_models_answer_and_only_the_rules_judge(signals, shipped, tmp_path):
    manifest = json.loads((shipped.folder / "manifest.json").read_text())
    del manifest["models"]["plausibility"], manifest["checks"]
    (tmp_path / "manifest.json").write_text(json.dumps(manifest))
    for stage in ("infarction", "localization"):
        (tmp_path / f"{stage}.onnx").write_bytes((shipped.folder / f"{stage}.onnx").read_bytes())
    without = Detector(tmp_path)
    recordings = [Recording(np.ascontiguousarray(signal[:, ::-1])) for signal in signals[:10]]
    for finding, rules_alone in zip(shipped.detect_many(recordings), without.detect_many(recordings), strict=True):
        assert finding.probability == rules_alone.probability
        assert "reversed_time" not in {note.code for note in rules_alone.warnings}


def test_a_feed_of_a_wrong_rate_is_refused_as_soon_as_it_is_heard(signals, shipped):
    refused = 0
    for signal in signals:
        stream = shipped.stream(sampling_rate=500)
        for start in range(0, 5000, 2 * 250):
            stream.push(signal[:, start : start + 500 : 2])  # 250 Hz, stated as 500
        refused += any(note.code == "wrong_rate" for note in stream.finding().reasons)
    assert refused >= 0.9 * len(signals)
