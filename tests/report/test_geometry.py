"""The picture is true to scale and to time."""

import re
from itertools import pairwise

import numpy as np
import pytest
from drawn import read_svg

from ecg_edge import Recording, read_recording
from ecg_edge.errors import StartBeyondEndError
from ecg_edge.package_data import example_recordings
from ecg_edge.recording import LEADS
from ecg_edge.report import Choices

COLUMNS = (("I", "II", "III"), ("aVR", "aVL", "aVF"), ("V1", "V2", "V3"), ("V4", "V5", "V6"))
EXACT = 0.005  # of a length, and of a millimetre


def test_the_svg_has_the_size_of_a4_in_millimetres(beats, draw):
    root = read_svg(draw(beats()).to_svg()).root
    assert (root.get("width"), root.get("height"), root.get("viewBox")) == ("297mm", "210mm", "0 0 297 210")


def test_the_grid_has_a_line_each_millimetre_and_a_bold_one_each_fifth(beats, draw):
    drawing = read_svg(draw(beats()).to_svg())
    fine, bold = drawing.lines("grid-1mm"), drawing.lines("grid-5mm")
    for axis in (0, 1):
        both = sorted(line[0, axis] for line in fine + bold if line[0, axis] == line[1, axis])
        alone = sorted(line[0, axis] for line in bold if line[0, axis] == line[1, axis])
        assert np.diff(both) == pytest.approx(1, rel=EXACT)
        assert np.diff(alone) == pytest.approx(5, rel=EXACT)


@pytest.mark.parametrize("speed", [25, 50])
@pytest.mark.parametrize("gain", [5, 10, 20])
def test_the_pulse_is_a_millivolt_high_and_a_fifth_of_a_second_wide(beats, draw, speed, gain):
    for pulse in read_svg(draw(beats(), speed=speed, gain=gain).to_svg()).lines("pulse"):
        width, height = np.ptp(pulse[2:4, 0]), np.ptp(pulse[:, 1])
        assert (width, height) == pytest.approx((0.2 * speed, gain), rel=EXACT)


@pytest.mark.parametrize("rate", [250.0, 500.0, 360.0])
@pytest.mark.parametrize(("speed", "gain"), [(25, 10), (50, 5), (25, 20)])
def test_beats_are_as_far_apart_and_as_high_as_speed_and_gain_say(beats, draw, rate, speed, gain):
    signal = beats(rate=rate).signal.copy()
    signal[1] = np.where(np.arange(signal.shape[1]) % rate == rate // 2, 1.0, 0)  # II: 1 mV each second
    recording = Recording(signal, rate, beats().leads)
    line = np.concatenate(read_svg(draw(recording, speed=speed, gain=gain).to_svg()).lines("trace", "II")[-1:])
    baseline = line[:, 1].max()
    tops = line[line[:, 1] < baseline - gain * 0.99]
    assert np.diff(tops[:, 0]) == pytest.approx(speed, rel=EXACT)
    assert baseline - tops[:, 1] == pytest.approx(gain, rel=EXACT)


@pytest.mark.parametrize("layout", ["3x4", "6x2", "12x1"])
@pytest.mark.parametrize("speed", [25, 50])
def test_every_lead_is_drawn_and_named(beats, draw, layout, speed):
    drawing = read_svg(draw(beats(), layout=layout, speed=speed).to_svg())
    extra = ["II"] if layout == "3x4" else []
    assert sorted(drawing.words("lead")) == sorted([*LEADS, *extra])
    assert sorted(drawing.leads("trace")) == sorted([*LEADS, *extra])


def test_the_columns_follow_each_other_in_time_without_gap_or_repetition(beats, draw):
    """Each lead counts up, so the height of a sample says when it was taken."""
    samples = np.arange(5000, dtype=np.float32) / 5000 + 1e-3
    recording = Recording(np.tile(samples, (12, 1)))
    drawing = read_svg(draw(recording).to_svg())
    ends = []
    for column in COLUMNS:
        lines = [np.concatenate(drawing.lines("trace", lead)[:1]) for lead in column]
        assert len({(line[0, 0], line[-1, 0]) for line in lines}) == 1
        ends.append(lines[0][[0, -1], 0])
    first = ends[0][0]
    assert [start - first for start, _ in ends] == pytest.approx([0, 62.5, 125, 187.5], abs=EXACT)
    assert [stop - first for _, stop in ends] == pytest.approx([62.45, 124.95, 187.45, 249.95], abs=EXACT)
    # A lead that rises by 10 mm in 10 s has risen by 2.5 mm within its column, and begins where time says.
    for column, (lead, *_) in enumerate(COLUMNS):
        line = drawing.lines("trace", lead)[0]
        assert line[0, 1] - line[-1, 1] == pytest.approx(2.499, abs=0.01), column


def test_at_50_mm_a_second_the_paper_holds_5_seconds(beats, draw):
    report = draw(beats(), speed=50)
    assert "drawn from 0.0 to 5.0 s" in report.told.recording
    rhythm = read_svg(report.to_svg()).lines("trace", "II")[-1]
    assert np.ptp(rhythm[:, 0]) == pytest.approx(249.9, rel=EXACT)


def test_the_picture_begins_at_the_start_and_says_so(beats, draw):
    recording = beats(20.0)
    later = Recording(recording.signal[:, 3500:8500], 500, recording.leads, name="beats")
    moved, cut = (read_svg(draw(r, start_s=s).to_svg()) for r, s in ((recording, 7.0), (later, 0.0)))
    for lead in LEADS:
        for a, b in zip(moved.lines("trace", lead), cut.lines("trace", lead), strict=True):
            assert np.array_equal(a[:, 0], b[:, 0])
            assert np.array_equal(a[:, 1] - a[0, 1], b[:, 1] - b[0, 1])
    assert moved.words("second") == [f"{second} s" for second in range(7, 18)]


def test_a_short_recording_shows_all_leads_in_narrower_columns(beats, draw):
    drawing = read_svg(draw(beats(4.0)).to_svg())
    assert sorted(drawing.leads("trace")) == sorted([*LEADS, "II"])
    starts = [drawing.lines("trace", column[0])[0][0, 0] for column in COLUMNS]
    assert np.diff(starts) == pytest.approx(25, abs=EXACT)
    assert np.ptp(drawing.lines("trace", "II")[-1][:, 0]) == pytest.approx(99.95, abs=EXACT)


def test_a_start_beyond_the_end_is_an_error_that_names_both(beats, draw):
    with pytest.raises(StartBeyondEndError, match=r"the start is at 10 s, but the recording ends at 10 s"):
        draw(beats(), start_s=10.0)


@pytest.mark.parametrize(("samples", "rate"), [(5000, 500), (43_200_000, 500), (3601, 360), (1001, 333.33)])
def test_the_start_that_the_error_names_is_possible_and_the_next_is_not(samples, rate):
    error = StartBeyondEndError(1e12, samples, rate)
    last_s = float(re.search(r"the last possible start is ([\d.]+) s$", str(error))[1])
    assert samples - 2 < last_s * rate <= samples - 1
    assert 0 <= (samples - 1) / rate - last_s < 0.001 + 1e-9


@pytest.mark.parametrize(
    ("choice", "said"),
    [
        ({"layout": "4x3"}, "layout is '4x3', expected one of 3x4, 6x2, 12x1"),
        ({"speed": 100}, "speed is 100, expected one of 25, 50"),
        ({"gain": 0}, "gain is 0, expected one of 5, 10, 20"),
        ({"start_s": -1.0}, "start_s is -1.0, expected 0 or more"),
        ({"start_s": float("nan")}, "start_s is nan, expected 0 or more"),
    ],
)
def test_a_choice_that_is_not_offered_is_an_error(choice, said):
    with pytest.raises(ValueError, match=said):
        Choices(**choice)


def test_each_window_has_a_dot_at_its_middle_and_its_height_is_its_probability(beats, draw):
    report = draw(beats())
    drawing, timeline = read_svg(report.to_svg()), report.finding.timeline
    (frame,) = drawing.lines("frame")
    left, bottom, height = frame[:, 0].min(), frame[:, 1].max(), np.ptp(frame[:, 1])
    middles = np.array(
        [
            np.r_[dot[:, 0].min() + dot[:, 0].max(), dot[:, 1].min() + dot[:, 1].max()] / 2
            for dot in drawing.lines("window")
        ]
    )
    assert (middles[:, 0] - left) / 25 == pytest.approx(np.array(timeline.start_s) + 0.8, abs=0.001)
    assert (bottom - middles[:, 1]) / height == pytest.approx(timeline.probability, abs=0.002)
    (threshold,) = drawing.lines("threshold")
    assert (bottom - threshold[0, 1]) / height == pytest.approx(report.finding.threshold, abs=0.002)
    rhythm = drawing.lines("trace", "II")[-1]
    assert rhythm[0, 0] == pytest.approx(left, abs=EXACT), "the same time axis"


def test_rows_keep_clear_of_each_other_if_there_is_room(beats, draw):
    drawing = read_svg(draw(beats()).to_svg())
    rows = (("I", "aVR", "V1", "V4"), ("II", "aVL", "V2", "V5"), ("III", "aVF", "V3", "V6"))
    for upper, lower in pairwise(rows):
        for above, below in zip(upper, lower, strict=True):
            assert drawing.lines("trace", above)[0][:, 1].max() < drawing.lines("trace", below)[0][:, 1].min()


def test_names_of_leads_lie_on_no_trace(beats, draw):
    drawing = read_svg(draw(beats()).to_svg())
    for name in drawing.texts("lead"):
        left, bottom = float(name.get("x")), float(name.get("y"))
        for line in drawing.lines("trace"):
            beneath = line[(line[:, 0] > left - 0.5) & (line[:, 0] < left + 9)]
            assert not ((beneath[:, 1] < bottom) & (beneath[:, 1] > bottom - 2.5)).any(), name.text


def test_the_name_of_a_lead_is_nearest_to_its_own_trace_even_under_tall_beats(draw):
    recording = read_recording(example_recordings() / "inferior_infarction.npy")
    drawing = read_svg(draw(recording, speed=50, gain=20).to_svg())
    columns = (("I", "II", "III"), ("aVR", "aVL", "aVF"), ("V1", "V2", "V3"), ("V4", "V5", "V6"))
    heights = {name.text: float(name.get("y")) for name in reversed(drawing.texts("lead"))}
    for column in columns:
        middles = {lead: np.median(drawing.lines("trace", lead)[0][:, 1]) for lead in column}
        for lead in column:
            assert min(column, key=lambda other: abs(middles[other] - heights[lead])) == lead
