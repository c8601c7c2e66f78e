"""Two synthetic example recordings: a normal ECG and an old inferior infarction.

No patient data is used. The heart is a moving dipole whose coordinates are sums of Gaussians of the
cardiac phase [1], the three-dimensional form of the dynamical ECG model [2]; the phase advances with
a heart rate that follows breathing and a slower 0.1 Hz rhythm, as in [2]. The dipole lies in the Frank
axes (x to the left, y to the feet, z to the back) and Dower's matrix [3, 4] maps it to leads
I, II and V1..V6. The other limb leads follow exactly from I and II (Einthoven, Goldberger).

The matrix is published; the Gaussians below were chosen by hand for a textbook tracing. The infarction
turns the early QRS forces, about the first 50 ms, away from the feet and tilts the T vector
the same way: Q waves and inverted T waves in II, III and aVF follow from the dipole alone.

`python -m export examples` writes normal.npy and inferior_infarction.npy, each float32, shape (12, 5000),
leads I II III aVR aVL aVF V1..V6, millivolts rounded to 0.001, 500 Hz, 10 s.

[1] Sameni R, Clifford GD, Jutten C, Shamsollahi MB. Multichannel ECG and noise modeling: application to
    maternal and fetal ECG signals. EURASIP J. Adv. Signal Process. 2007:043407. doi:10.1155/2007/43407
[2] McSharry PE, Clifford GD, Tarassenko L, Smith LA. A dynamical model for generating synthetic
    electrocardiogram signals. IEEE Trans. Biomed. Eng. 2003;50:289-294. doi:10.1109/TBME.2003.808805
[3] Dower GE. A lead synthesizer for the Frank system to simulate the standard 12-lead electrocardiogram.
    J. Electrocardiol. 1968;1:101-116.
[4] Dower GE, Machado HB, Osborne JA. On deriving the electrocardiogram from vectorcardiographic leads.
    Clin. Cardiol. 1980;3:87-95.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

RATE_HZ = 500
SAMPLES = 5000
DECIMALS = 3  # of a millivolt
SEED = 2007

# Lead = row . (x, y, z), from [3, 4]; the eight independent leads.
DOWER = np.array(
    [
        [0.632, -0.235, 0.059],  # I
        [0.235, 1.066, -0.132],  # II
        [-0.515, 0.157, -0.917],  # V1
        [0.044, 0.164, -1.387],  # V2
        [0.882, 0.098, -1.277],  # V3
        [1.213, 0.127, -0.601],  # V4
        [1.125, 0.127, -0.086],  # V5
        [0.831, 0.076, 0.230],  # V6
    ],
)

# Rates and sizes of the two rhythms that modulate the heart rate: breathing and the 0.1 Hz wave of [2].
BREATH_HZ, BREATH_SWING = 0.25, 0.03
MAYER_HZ, MAYER_SWING = 0.1, 0.015
DRIFT_HZ = 0.07
WANDER_MV = 0.02  # standard deviation over leads of the size of each wander sine
NOISE_MV = 0.01  # standard deviation of the measurement noise

# Gaussian waves of the dipole, one a row:
# centre after the R peak (ms), width sigma (ms), amplitudes x, y, z (mV).
ATRIA = [
    [-152, 17, 0.03, 0.06, -0.03],  # right atrium: down and forward
    [-125, 18, 0.09, 0.04, 0.03],  # left atrium: left and back
]
NORMAL_WAVES = [
    *ATRIA,
    [-24, 8, -0.18, -0.06, -0.26],  # septum: right and forward
    [0, 10, 1.20, 0.70, 0.16],  # free walls: left and down
    [18, 10, -0.10, -0.10, 0.72],  # base: back and up
    [225, 48, 0.12, 0.06, -0.08],  # T, slow rise
    [275, 32, 0.22, 0.12, -0.14],  # T, quicker fall
]
INFERIOR_WAVES = [
    *ATRIA,
    [-24, 8, -0.16, -0.06, -0.24],  # septum
    [-23, 13, 0.12, -0.52, 0.00],  # unopposed by the dead inferior wall: up
    [4, 10, 1.10, 0.52, 0.14],  # free walls, less of them below
    [22, 10, -0.05, 0.00, 0.66],  # base
    [225, 45, 0.09, -0.08, -0.07],  # T, turned up
    [275, 32, 0.14, -0.16, -0.14],
]


class Example(NamedTuple):
    """A recording to make: file stem, mean heart rate (Hz) and waves (rows as above)."""

    name: str
    heart_hz: float
    waves: list[list[float]]


EXAMPLES = (Example("normal", 1.10, NORMAL_WAVES), Example("inferior_infarction", 1.15, INFERIOR_WAVES))


def cardiac_phase(seconds: NDArray[np.float64], heart_hz: float) -> NDArray[np.float64]:
    """Phase (rad, in [-pi, pi), 0 at the R peak) of a heart with the mean rate `heart_hz` and its rhythms."""
    breath = BREATH_SWING * np.sin(2 * np.pi * BREATH_HZ * seconds)
    mayer = MAYER_SWING * np.sin(2 * np.pi * MAYER_HZ * seconds)
    turned = 2 * np.pi * np.cumsum(heart_hz * (1 + breath + mayer)) / RATE_HZ
    return turned % (2 * np.pi) - np.pi


def dipole(phase: NDArray[np.float64], heart_hz: float, waves: list[list[float]]) -> NDArray[np.float64]:
    """Dipole (mV, shape (3, samples)) at `phase` (rad): the sum of Gaussians of [1]."""
    centre_ms, width_ms, *xyz = np.array(waves).T
    rad_per_ms = 2 * np.pi * heart_hz / 1000
    gap = (phase - centre_ms[:, None] * rad_per_ms + np.pi) % (2 * np.pi) - np.pi
    mixed: NDArray[np.float64] = np.array(xyz) @ np.exp(-0.5 * (gap / (width_ms[:, None] * rad_per_ms)) ** 2)
    return mixed


def disturbance(seconds: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
    """Baseline wander and white measurement noise (mV) of the eight independent leads."""
    leads = len(DOWER)
    sines = np.sin(2 * np.pi * np.array([[BREATH_HZ], [DRIFT_HZ]]) * seconds + rng.uniform(0, 2 * np.pi, (2, 1)))
    return rng.normal(0, WANDER_MV, (leads, 2)) @ sines + rng.normal(0, NOISE_MV, (leads, len(seconds)))


def twelve_leads(eight: NDArray[np.float64]) -> NDArray[np.float32]:
    """All twelve leads (mV, rounded) from I, II, V1..V6 (mV)."""
    eight = eight.round(DECIMALS)
    one, two = eight[:2]
    limb = [one, two, two - one, -(one + two) / 2, one - two / 2, two - one / 2]
    return np.vstack([*limb, eight[2:]]).round(DECIMALS).astype(np.float32)


def recording(example: Example, rng: np.random.Generator) -> NDArray[np.float32]:
    """Make the recording (mV, shape (12, SAMPLES)) of `example`."""
    seconds = np.arange(SAMPLES) / RATE_HZ
    phase = cardiac_phase(seconds, example.heart_hz)
    heart = DOWER @ dipole(phase, example.heart_hz, example.waves)
    return twelve_leads(heart + disturbance(seconds, rng))


def write_examples(folder: Path) -> None:
    """Write every example into a folder."""
    for offset, example in enumerate(EXAMPLES):
        rng = np.random.default_rng(SEED + offset)
        np.save(folder / f"{example.name}.npy", recording(example, rng))
