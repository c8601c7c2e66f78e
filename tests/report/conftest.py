"""A heart that beats once a second, in leads of known height."""

import numpy as np
import pytest

from ecg_edge import Recording
from ecg_edge.report import Choices, draw_report

HEIGHTS = {"I": 0.5, "II": 1.2, "V1": 0.5, "V2": 1.5, "V3": 1.6, "V4": 1.4, "V5": 1.2, "V6": 0.9}


@pytest.fixture
def beats():
    """Make a recording of triangular beats, 80 ms wide; each lead has a slow wave of its own and a tremor."""

    def make(duration_s=10.0, rate=500.0, name="beats", **changes):
        n = round(duration_s * rate)
        seconds = np.arange(n) / rate
        beat = np.clip(1 - np.abs((seconds % 1) - 0.5) / 0.04, 0, None)
        rows = [
            HEIGHTS[lead] * beat + 0.1 * np.sin(2 * np.pi * (i + 1) * seconds / 7) for i, lead in enumerate(HEIGHTS)
        ]
        signal = np.array(rows, np.float32)
        return Recording(signal, rate, tuple(HEIGHTS), name=name, **changes)

    return make


@pytest.fixture
def draw(tiny):
    """Answer and draw a recording with small models, which answer whatever the quality gate says."""

    def make(recording, detector=tiny, **choices):
        finding = detector.detect(recording, windows=True, all_sites=True)
        return draw_report(recording, finding, 1.6, Choices(**choices))

    return make
