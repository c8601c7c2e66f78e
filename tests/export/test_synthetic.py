from pathlib import Path

import numpy as np

from export.synthetic import write_examples

EXAMPLES = Path(__file__).parents[2] / "examples"


def test_the_examples_are_made_anew_to_the_byte(tmp_path):
    write_examples(tmp_path)
    for path in EXAMPLES.glob("*.npy"):
        assert (tmp_path / path.name).read_bytes() == path.read_bytes()


def test_the_examples_obey_einthoven_and_goldberger():
    for path in EXAMPLES.glob("*.npy"):
        one, two, three, right, left, foot = np.load(path)[:6]
        for residual in (
            three - (two - one),
            right + (one + two) / 2,
            left - (one - three) / 2,
            foot - (two + three) / 2,
        ):
            assert np.abs(residual).max() <= 0.002


def test_the_infarction_has_deep_q_waves_in_the_inferior_leads_alone():
    normal, ill = (np.load(EXAMPLES / f"{name}.npy") for name in ("normal", "inferior_infarction"))
    for lead in (1, 2, 5):
        assert np.percentile(ill[lead], 0.5) < -0.4 < np.percentile(normal[lead], 0.5)
    assert np.percentile(ill[0], 0.5) > -0.4
