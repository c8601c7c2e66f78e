"""Tables and their oddities."""

import tracemalloc

import numpy as np
import pytest

from ecg_edge import read_recording
from ecg_edge.errors import EcgEdgeError, UndeclaredError, UnreadableError
from ecg_edge.readers import find_records
from ecg_edge.readers.discovery import find_candidates
from ecg_edge.readers.formats import csv_table
from ecg_edge.recording.leads import LEADS
from ecg_edge.recording.record_file import PassedOver

SIGNAL = np.random.default_rng(0).normal(0, 0.5, (12, 1500)).round(4)
MICRO = "\N{MICRO SIGN}"


def text(titles=(), *, delimiter=",", decimal=".", quote="", time=None, signal=SIGNAL, end="\n"):
    """Make a table; `time` gives the first cell of a row from the number of the row."""
    rows = [list(titles)] if titles else []
    for i, sample in enumerate(signal.T):
        cells = [f"{value:.4f}".replace(".", decimal) for value in sample]
        rows.append([*([str(time(i)).replace(".", decimal)] if time else []), *cells])
    return end.join(delimiter.join(f"{quote}{cell}{quote}" for cell in row) for row in rows) + end


def read(tmp_path, content, suffix=".csv", **declared):
    path = tmp_path / f"a{suffix}"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_recording(path, **declared)


def units(unit, opening="(", closing=")"):
    return [f"{lead}{opening}{unit}{closing}" for lead in LEADS]


BY_ITS_HEADER = {
    "brackets": text(["time_s", *units("mV", " [", "]")], time=lambda i: i / 500),
    "slash": text(["t/ms", *units("mV", "/", "")], time=lambda i: 2 * i),
    "underscore": text(["t_ms", *units("mV", "_", "")], time=lambda i: 2 * i),
    "microseconds": text([f"Time ({MICRO}s)", *units("mV")], time=lambda i: 2000 * i),
    "a row of units": text(["Time", *LEADS], time=lambda i: i / 500).replace("\n", "\ns" + ",mV" * 12 + "\n", 1),
    "quoted": text(["time_s", *units("mV")], quote='"', time=lambda i: i / 500),
    "decimal comma in quotes": text(["time_s", *units("mV")], quote='"', decimal=",", time=lambda i: i / 500),
    "semicolons": text(["Zeit [s]", *units("mV")], delimiter=";", decimal=",", time=lambda i: i / 500, end="\r\n"),
    "byte order mark": "\N{ZERO WIDTH NO-BREAK SPACE}" + text(["s", *units("mV")], time=lambda i: i / 500),
    "comments": "# device 7\n\n" + text(["s", *units("mV")], time=lambda i: i / 500),
    "trailing delimiter": text(["s", *units("mV"), ""], time=lambda i: i / 500).replace("\n", ",\n").replace(",,", ","),
    "utf-16": text(["s", *units("mV")], delimiter="\t", time=lambda i: i / 500).encode("utf-16"),
    "time last": text([*units("mV"), "time_s"], signal=np.vstack([SIGNAL, np.arange(1500) / 500])),
}


@pytest.mark.parametrize("name", BY_ITS_HEADER)
def test_a_table_that_states_everything_needs_no_options(tmp_path, name):
    recording = read(tmp_path, BY_ITS_HEADER[name])
    assert (recording.sampling_rate, recording.samples) == (500, 1500)
    np.testing.assert_allclose(recording.stretch(0, 1500), SIGNAL, atol=1e-6)


@pytest.mark.parametrize("encoding", ["utf-8", "latin-1", "cp1252"])
def test_the_sign_for_micro_is_known_in_any_encoding(tmp_path, encoding):
    content = text(units(f"{MICRO}V"), delimiter=";", decimal=",").encode(encoding)
    recording = read(tmp_path, content, sampling_rate=500)
    np.testing.assert_allclose(recording.stretch(0, 1500), SIGNAL / 1000, rtol=1e-5, atol=1e-9)


@pytest.mark.parametrize(("delimiter", "suffix"), [(",", ".csv"), (";", ".CSV"), ("\t", ".tsv")])
def test_twelve_bare_columns_are_the_twelve_leads(tmp_path, delimiter, suffix):
    recording = read(tmp_path, text(delimiter=delimiter), suffix, sampling_rate=500, units="mV")
    np.testing.assert_allclose(recording.stretch(0, 1500), SIGNAL, atol=1e-6)


@pytest.mark.parametrize("first", [0, 1])
def test_column_numbers_above_bare_columns_are_not_samples(tmp_path, first):
    numbers = ",".join(str(first + place) for place in range(12))
    recording = read(tmp_path, f"{numbers}\n{text()}", sampling_rate=500, units="mV")
    np.testing.assert_allclose(recording.stretch(0, 1500), SIGNAL, atol=1e-6)
    assert recording.samples == 1500


def test_a_column_without_a_title_is_left_out(tmp_path):
    content = text(["", *units("mV")], time=lambda i: i)
    np.testing.assert_allclose(read(tmp_path, content, sampling_rate=500).stretch(0, 1500), SIGNAL, atol=1e-6)


def test_columns_without_names_must_be_named_unless_they_are_twelve(tmp_path):
    order = ("V6", "V5", "V4", "V3", "V2", "V1", "II", "I")
    content = text(signal=SIGNAL[[LEADS.index(lead) for lead in order]])
    with pytest.raises(EcgEdgeError, match="has 8 columns and no header; name them with --leads"):
        read(tmp_path, content, sampling_rate=500, units="mV")
    recording = read(tmp_path, content, sampling_rate=500, units="mV", leads=order)
    np.testing.assert_allclose(recording.stretch(0, 1500)[6:], SIGNAL[6:], atol=1e-6)


@pytest.mark.parametrize(("rate", "digits"), [(500, 3), (360, 3), (250, 3), (1000, 3), (257, 4), (128, 3), (499.5, 7)])
def test_a_rate_is_found_through_rounded_times(tmp_path, rate, digits):
    content = text(["time_s", *units("mV")], time=lambda i: f"{i / rate:.{digits}f}")
    assert read(tmp_path, content).sampling_rate == pytest.approx(rate, rel=1e-5)


def test_a_time_column_of_unknown_unit_does_not_tell_the_rate(tmp_path):
    content = text(["time", *units("mV")], time=lambda i: i * 2)
    with pytest.raises(EcgEdgeError, match="does not state its sampling rate"):
        read(tmp_path, content)
    assert read(tmp_path, content, sampling_rate=500).sampling_rate == 500


@pytest.mark.parametrize("time", [lambda i: (i + (i > 700)) / 500, lambda i: i % 700 / 500, lambda _: 0])
def test_an_irregular_time_column_is_refused(tmp_path, time):
    with pytest.raises(EcgEdgeError, match="time column is not regular"):
        read(tmp_path, text(["time_s", *units("mV")], time=time))


def test_other_columns_are_skipped_with_any_content(tmp_path):
    lines = text(units("mV")).splitlines()
    content = "\n".join(f"{'date' if i == 0 else '01.02.2024 10:00'},{line},note" for i, line in enumerate(lines))
    np.testing.assert_allclose(read(tmp_path, content, sampling_rate=500).stretch(0, 1500), SIGNAL, atol=1e-6)


def replaced(at, row):
    lines = text(units("mV")).splitlines()
    lines[at] = row
    return "\n".join(lines)


HOSTILE = {
    "words in a row": (replaced(700, "what is this"), "line 701 is not a row of numbers"),
    "a short row": (replaced(700, "1,2,3"), "line 701 is not a row of numbers"),
    "no rows": (",".join(units("mV")), "has no rows"),
    "something else": ("name,a,b,c,d,e,f,g\nx,1,2,3,4,5,6,7\n", "not a table of leads"),
    "few columns": ("I,II\n1,2\n", "not a table of leads"),
    "empty": ("", "empty"),
    "nul": (b"I,II,V1,V2,V3,V4,V5,V6\n" + bytes(1000), "not a table of leads"),
    "one long line": (",".join(units("mV")) + "\n" + "1" * 100_000, "a line of more than 16384 characters"),
    "open quote": (
        text(units("mV"), quote='"') + '"' + "1,\n" * 100_000,
        "quote that is not closed|not a row of numbers",
    ),
    "another encoding below": (
        text(units("mV")).encode() + b"0," * 11 + b"\xff\n",
        "not text in a single encoding|row of numbers",
    ),
    "brackets": ("I" + " (" * 3000 + "," * 8 + "\n1\n", "not a table of leads"),
    "many columns": ("I," * 3000 + "\n1\n", "not a table of leads"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_bad_table_is_one_clear_error(tmp_path, name):
    content, message = HOSTILE[name]
    with pytest.raises(EcgEdgeError, match=message) as caught:
        read(tmp_path, content, sampling_rate=500, units="mV")
    assert "\n" not in str(caught.value)


def test_a_table_that_is_too_large_is_refused_unread(tmp_path, monkeypatch):
    monkeypatch.setattr(csv_table, "_MOST_BYTES", 1000)
    with pytest.raises(EcgEdgeError, match="larger than 1000 bytes; save it as"):
        read(tmp_path, text(units("mV")), sampling_rate=500)


def test_a_long_table_is_read_in_pieces(tmp_path, monkeypatch):
    content = text(units("mV"), signal=np.tile(SIGNAL, 20))
    monkeypatch.setattr(csv_table, "_ROWS_AT_A_TIME", 1000)
    tracemalloc.start()
    recording = read(tmp_path, content, sampling_rate=500)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 10e6
    np.testing.assert_allclose(recording.stretch(0, 30_000), np.tile(SIGNAL, 20), atol=1e-6)


@pytest.mark.parametrize("cell", ["", " ", "NaN", "NA", "null"])
def test_an_empty_cell_is_a_missing_sample(tmp_path, cell):
    (tmp_path / "a.csv").write_text(replaced(700, ",".join([*["0.1"] * 11, cell])))
    signal = read_recording(tmp_path / "a.csv", sampling_rate=500).stretch(0, 800)
    assert np.argwhere(~np.isfinite(signal)).tolist() == [[11, 699]]


def test_all_that_a_table_does_not_state_is_asked_for_at_once(tmp_path):
    (tmp_path / "a.csv").write_text("\n".join([",".join(LEADS), *[",".join(["0"] * 12)] * 900]))
    with pytest.raises(UndeclaredError, match=r"its sampling rate and its units; pass --sampling-rate .* and --units"):
        read_recording(tmp_path / "a.csv")


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_a_table_in_utf_16_without_a_mark_says_so_alone_and_in_a_folder(tmp_path, encoding):
    table = f"time (s),{','.join(f'{lead} (mV)' for lead in LEADS)}\n" + f"0,{','.join('0.1' for _ in LEADS)}\n"
    path = tmp_path / "a.csv"
    path.write_bytes(table.encode(encoding))
    with pytest.raises(UnreadableError, match="is text in UTF-16 without a byte order mark; save it in UTF-8"):
        read_recording(path)
    (passed_over,) = (item for item in find_candidates(tmp_path) if isinstance(item, PassedOver))
    assert passed_over.reason == "is text in UTF-16 without a byte order mark; save it in UTF-8"


@pytest.mark.parametrize("cell", ["", "nan"])
def test_a_row_without_a_time_is_not_called_irregular(tmp_path, cell):
    content = text(["time_s", *units("mV")], time=lambda i: cell if i == 700 else i / 500)
    with pytest.raises(EcgEdgeError, match="has no time in 1 of its 1500 rows; correct its time column"):
        read(tmp_path, content)


def test_lines_of_delimiters_below_the_last_row_are_no_samples(tmp_path):
    content = text(["time_s", *units("mV")], time=lambda i: i / 500) + ("," * 12 + "\n") * 3
    recording = read(tmp_path, content)
    assert (recording.sampling_rate, recording.samples) == (500, 1500)


@pytest.mark.parametrize("end", ["\r", "\r\n"])
def test_the_ends_of_lines_may_be_those_of_any_system(tmp_path, end):
    content = text(["time_s", *units(f"{MICRO}V")], time=lambda i: i / 500, end=end)
    recording = read(tmp_path, content.encode("latin-1"))
    assert (recording.sampling_rate, recording.samples) == (500, 1500)
    np.testing.assert_allclose(recording.stretch(0, 1500), SIGNAL / 1000, rtol=1e-5, atol=1e-9)


@pytest.mark.parametrize("letter", ["\x0b", "\x0c", "\x1c", "\x85", "\u2028"])
def test_a_letter_above_the_header_that_only_some_take_for_an_end_of_line_costs_no_row(tmp_path, letter):
    content = f"Device{letter}7\n" + text(["time_s", *units("mV")], time=lambda i: i / 500)
    recording = read(tmp_path, content)
    assert (recording.sampling_rate, recording.samples) == (500, 1500)
    np.testing.assert_allclose(recording.stretch(0, 1500), SIGNAL, atol=1e-6)


@pytest.mark.parametrize("title", ["Время, с", "время (с)", "Время_мс", "t [мс]"])  # noqa: RUF001 - Russian
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_times_in_russian_tell_the_rate(tmp_path, title, encoding):
    step = 2 if "мс" in title else 0.002
    content = text([title, *units("мВ")], delimiter=";", time=lambda i: f"{i * step:.3f}")
    assert read(tmp_path, content.encode(encoding)).sampling_rate == 500


T = [f"{i / 500:.3f}" for i in range(1500)]
METADATA = ["Device;Cart 7", "Patient;Nobody;;;;;;;;;;;", "Rate;500;;;;;;;;;;;", "Leads;" + ";".join(LEADS), ""]


def with_lines(*lines, **options):
    return "\n".join([*lines, text(**options)])


def in_rows(titles=None, delimiter=",", before=(), end="", decimal="."):
    rows = [[f"{value:.4f}".replace(".", decimal) for value in lead] for lead in SIGNAL]
    rows = [[str(title), *row] for title, row in zip(titles, rows, strict=True)] if titles else rows
    return "\n".join([*before, *(delimiter.join(row) + end for row in rows)])


SECONDS = {"titles": ["time_s", *units("mV")], "time": lambda i: i / 500}
OF_DEVICES = {
    "sep=;": with_lines("sep=;", delimiter=";", **SECONDS),
    "quoted sep": with_lines('"sep=,"', **SECONDS),
    "sep of a bar": with_lines("sep=|", delimiter="|", **SECONDS),
    "lines of metadata": with_lines(*METADATA, delimiter=";", decimal=",", **SECONDS),
    "thirty lines of metadata": with_lines(*[f"Line,{i}" for i in range(30)], **SECONDS),
    "metadata and units below": with_lines(
        "Device,7", ",".join(["Time", *LEADS]), ",".join(["ms", *["mV"] * 12]), time=lambda i: 2 * i
    ),
    "index and time": with_lines(
        ",time_s," + ",".join(units("mV")), signal=np.vstack([np.arange(1500) / 500, SIGNAL]), time=lambda i: i
    ),
    "clock times": text(["time", *units("mV")], time=lambda i: f"10:00:{i / 500:06.3f}"),
    "short clock times": text(["Time", *units("mV")], time=lambda i: f"0:{i / 500:06.3f}"),
    "clock times in the way of rdsamp": with_lines(
        ",".join(["'Elapsed time'", *(f"'{lead}'" for lead in LEADS)]),
        ",".join(["'hh:mm:ss.mmm'", *["'mV'"] * 12]),
        time=lambda i: f"'0:{i / 500:06.3f}'",
    ),
    "clock times with a date": text(["timestamp", *units("mV")], time=lambda i: f"2024-05-01T10:00:{i / 500:06.3f}Z"),
    "clock times over midnight": text(
        ["time", *units("mV")],
        time=lambda i: f"23:59:{58 + i / 500:06.3f}" if i < 1000 else f"00:00:{i / 500 - 2:06.3f}",
    ),
    "clock times with commas": text(
        ["time", *units("mV")], delimiter=";", decimal=",", time=lambda i: f"10:00:{i / 500:06.3f}"
    ),
    "a time row and leads in rows": "time_s," + ",".join(T) + "\n" + in_rows(units("mV")),
    "leads in rows with semicolons": "time_s;" + ";".join(T) + "\n" + in_rows(units("mV"), ";", decimal=","),
}


@pytest.mark.parametrize("suffix", [".csv", ".txt"])
@pytest.mark.parametrize("name", OF_DEVICES)
def test_a_table_as_devices_export_it_needs_no_options(tmp_path, name, suffix):
    (tmp_path / f"a{suffix}").write_text(OF_DEVICES[name])
    (record,) = find_records(tmp_path)
    recording = record.read()
    assert (recording.sampling_rate, recording.samples) == (500, 1500)
    np.testing.assert_allclose(recording.stretch(0, 1500), SIGNAL, atol=1e-6)


BARE = {
    "leads in rows": in_rows(LEADS),
    "leads in rows without names": in_rows(),
    "leads in rows, a delimiter at the end": in_rows(LEADS, end=","),
    "leads in rows, numbers of samples": in_rows(LEADS, before=["lead," + ",".join(map(str, range(1500)))]),
    "leads in rows of a data frame": in_rows(range(12), before=["," + ",".join(map(str, range(1500)))]),
    "leads in rows, tabs": in_rows(LEADS, "\t"),
    "a data frame": with_lines("," + ",".join(map(str, range(12))), time=lambda i: i),
    "an index": text(time=lambda i: i + 1),
    "a delimiter at the end": text(end=",\n"),
    "an index and a delimiter at the end": text(delimiter=";", time=lambda i: i, end=";\n"),
    "metadata": with_lines("Device,7", "Gain,1000,,,,,,,,,,", "Offset,0,,,,,,,,,,"),
    "spaces": text(delimiter="  "),
    "names and spaces": text(LEADS, delimiter=" "),
    "an index with a title": text(["sample", *LEADS], time=lambda i: i),
    "a number of rows only": text(["#", *LEADS], time=lambda i: i).replace("#", '"#"', 1),
}


@pytest.mark.parametrize("suffix", [".csv", ".txt"])
@pytest.mark.parametrize("name", BARE)
def test_a_bare_table_needs_units_and_a_rate_only(tmp_path, name, suffix):
    recording = read(tmp_path, BARE[name], suffix, sampling_rate=500, units="mV")
    assert recording.samples == 1500
    np.testing.assert_allclose(recording.stretch(0, 1500), SIGNAL, atol=1e-6)
    with pytest.raises(EcgEdgeError, match="does not state its sampling rate and its units"):
        read(tmp_path, BARE[name], suffix)


def test_empty_cells_of_leads_in_rows_are_missing_samples(tmp_path):
    lines = in_rows(LEADS).splitlines()
    cells = lines[7].split(",")
    cells[-1] = cells[500] = ""
    content = "\n".join([*lines[:7], ",".join(cells), *lines[8:]])
    signal = read(tmp_path, content, sampling_rate=500, units="mV").stretch(0, 1500)
    assert np.argwhere(~np.isfinite(signal)).tolist() == [[7, 499], [7, 1499]]


def test_an_empty_first_row_is_a_missing_sample_and_no_row_of_units(tmp_path):
    lines = text(["time_s", *units("mV")], time=lambda i: i / 500).splitlines()
    lines[1] = "0.0" + "," * 12
    recording = read(tmp_path, "\n".join(lines))
    assert (recording.samples, recording.sampling_rate) == (1500, 500)
    assert np.isnan(recording.stretch(0, 1)).all()


def test_clock_times_of_whole_seconds_do_not_tell_the_rate(tmp_path):
    content = text(["time", *units("mV")], time=lambda i: f"10:00:{i // 500:02}")
    with pytest.raises(EcgEdgeError, match="does not state its sampling rate"):
        read(tmp_path, content)
    assert read(tmp_path, content, sampling_rate=500).sampling_rate == 500


ONE_CAUSE = {
    "rows of different lengths": (in_rows(LEADS) + ",1", "different numbers of samples: 1500 and 1501"),
    "ten rows without names": ("\n".join(in_rows().splitlines()[:10]), "has 10 rows and no names; name them with"),
    "a word in a row of a lead": (in_rows(LEADS).replace(f"{SIGNAL[3, 9]:.4f}", "what", 1), "line 4 is not a row of numbers"),
    "lead missing": ("\n".join(in_rows(LEADS).splitlines()[:7]), "V2, V3, V4, V5, V6 of I, II, V1 to V6 are missing"),
    "few columns": ("a,b\n1,2\n", "it has 2 columns, expected at least 8: one for each lead"),
    "no text": (b"\0\1\2" * 100, "it is not text"),
    "other names": (text([f"k{i}" for i in range(12)]), "do not have the names of leads, .* but k0, k1, k2"),
    "no rows": (",".join(LEADS) + "\nall,of,this,is,no,number,at,all\nx,y", "not followed by rows of as many numbers"),
    "late header": (with_lines(*["a,b"] * 31, **SECONDS), "its header is below more than 30 other lines"),
    "thirteen columns": (text(signal=np.vstack([SIGNAL, SIGNAL[:1]])), "has 13 columns and no header"),
    "clock runs back": (
        text(["time", *units("mV")], time=lambda i: f"10:00:{(i % 700) / 500:06.3f}"), "time column is not regular"
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", ONE_CAUSE)
def test_each_fault_has_its_own_message(tmp_path, name):
    content, message = ONE_CAUSE[name]
    with pytest.raises(EcgEdgeError, match=message) as caught:
        read(tmp_path, content, units="mV", **({} if "clock" in name else {"sampling_rate": 500}))
    assert "\n" not in str(caught.value)


def test_the_caller_may_name_all_columns_of_a_bare_table(tmp_path):
    content = text(time=lambda i: i)
    recording = read(tmp_path, content, sampling_rate=500, units="mV", leads=("index", *LEADS))
    np.testing.assert_allclose(recording.stretch(0, 1500), SIGNAL, atol=1e-6)
