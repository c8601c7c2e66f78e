"""Hostile tables, WFDB records and EDF files."""

import numpy as np
from hostile.arrays import ECG
from hostile.case import PASSED_OVER, Case, of_bytes

LEADS = ("I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6")
TABLE = (
    "not a table|not a row of numbers|line of more than|sampling rate|time column|no rows|encoding|known|quote|columns"
    "|units"
)


def table(head=None):
    head = head or ",".join(["time (s)", *(f"{lead} (mV)" for lead in LEADS)])
    return "\n".join([head, *ROWS]).encode()


ROWS = [",".join([f"{i / 500:.3f}", *(f"{value:.4f}" for value in ECG[:, i])]) for i in range(1000)]
LINES = table().split(b"\n")


def with_line(line, at=500):
    return b"\n".join([*LINES[:at], line, *LINES[at + 1 :]])


def with_cell(cell):
    return with_line(b"0.998," + cell + b",0" * 11)


TABLES = {
    "line_of_20_mb": (LINES[0] + b"\n" + b"1," * 10_000_000, TABLE),
    "header_of_a_million_columns": (b",".join(b"c%d" % i for i in range(10**6)) + b"\n1", PASSED_OVER),
    "row_of_a_million_columns": (with_line(b"1," * 10**6), TABLE),
    "cells_missing": (with_line(b"1,2,3"), "not a row of numbers"),
    "text_in_a_cell": (with_cell(b"=1+1"), "not a row of numbers"),
    "number_of_10000_digits": (with_cell(b"9" * 10_000), "samples of .* are missing|no row|mV"),
    "number_1e999999999": (with_cell(b"1e999999999"), "samples of .* are missing"),
    "number_nan": (with_cell(b"nan"), "samples of .* are missing"),
    "number_hex": (with_cell(b"0x1p1000"), "not a row of numbers|samples of .* are missing"),
    "number_underscores": (with_cell(b"1_0"), "not a row of numbers"),
    "number_complex": (with_cell(b"1j"), "not a row of numbers"),
    "quote_never_ends": (with_line(b'"' + b"1," * 100), TABLE),
    "quotes_then_quote_never_ends": (table().replace(b"I (mV)", b'"I (mV)"', 1) + b'\n"1' * 5000, TABLE),
    "nul_bytes": (with_line(b"\0" * 1000), TABLE),
    "other_encoding": (with_line(b"\xff\xfe" * 100), TABLE),
    "half_utf16": (table().decode().encode("utf-16")[:-1], f"{TABLE}|missing"),
    "time_runs_back": (with_line(b"-5" + b",0" * 12), "time column"),
    "time_stands_still": (b"\n".join([LINES[0], *([b"1" + b",0.1" * 12] * 1000)]), "time column"),
    "time_nan": (with_line(b"nan" + b",0" * 12), "time column"),
    "time_tiny_steps": (
        b"\n".join([LINES[0], *(b"%de-300" % i + b",0.1" * 12 for i in range(1000))]),
        "Hz|rate|time column",
    ),
    "no_rows": (LINES[0] + b"\n", TABLE),
    "lead_twice": (
        table(head="time (s),I (mV),I (mV)," + ",".join(f"{lead} (mV)" for lead in LEADS[2:])),
        "two channels are the lead I",
    ),
    "units_unknown": (table(head="time (s)," + ",".join(f"{lead} (parsec)" for lead in LEADS)), "parsec|unit"),
    "units_missing": (table(head="time (s)," + ",".join(LEADS)), "units"),
    "leads_missing": (
        table(head="time (s)," + ",".join(f"{name} (mV)" for name in (*LEADS[:8], "a", "b", "c", "d"))),
        "V3",
    ),
    "rate_of_10_to_15": (
        b"\n".join([LINES[0].replace(b"(s)", b"(ns)"), *(b"%f" % (i / 1e6) + b",0.1" * 12 for i in range(1000))]),
        "Hz|rate|time",
    ),
}

BY_ROW = [",".join([lead, *(f"{value:.4f}" for value in row[:1000])]) for lead, row in zip(LEADS, ECG, strict=True)]


def in_rows(*changed):
    rows = list(BY_ROW)
    for at, row in changed:
        rows[at] = row
    return "\n".join(rows).encode()


TABLES |= {
    "sep_of_nothing": (b"sep=\n" + table(), ""),
    "sep_wrong": (b"sep=;\n" + table(), PASSED_OVER),
    "sep_of_a_digit": (b"sep=0\n" + table(), ""),
    "sep_of_a_quote": (b'sep="\n' + table(), ""),
    "thousand_lines_before": (b"a,b\n" * 1000 + table(), PASSED_OVER),
    "header_in_the_31st_line_of_many_columns": (b"x" * 200 + b"\n" + (b"k," * 500 + b"\n") * 30 + table(), PASSED_OVER),
    "clock_in_the_first_row_alone": (
        table().replace(b"time (s)", b"time").replace(b"\n0.000,", b"\n00:00:00.000,"),
        "",
    ),
    "clock_of_9999_hours": (
        table().replace(b"time (s)", b"time").replace(b"\n0.", b"\n9999:59:0.").replace(b"\n1.", b"\n9999:59:1."),
        "",
    ),
    "rows_of_a_line_of_20_mb": (b"I," + b"1," * 10_000_000 + b"1\n", "characters"),
    "rows_of_different_lengths": (in_rows((3, BY_ROW[3] + ",1")), "different numbers of samples"),
    "rows_of_words": (in_rows((3, "aVR" + ",what" * 1000)), "not a row of numbers"),
    "rows_of_nothing": (in_rows((3, "aVR" + "," * 1000)), "sampling rate"),
    "rows_twice": (in_rows((3, BY_ROW[0])), "sampling rate|two channels"),
    "rows_10_to_5": (b"\n".join([b"I" + b",1" * 70] * 100_000), "rows"),
    "rows_of_infinity": (in_rows((3, "aVR" + ",1e999" * 1000)), "sampling rate"),
}


def wfdb(lines=None, dat=None, *, record="a 12 500 5000", signal="a.dat 16 1000/mV 16 0 0 0 0 {}", name="a.dat"):
    def write(folder):
        text = "\n".join(lines if lines is not None else [record, *(signal.format(lead) for lead in LEADS)])
        (folder / "a.hea").write_text(text + "\n")
        data = np.round(ECG.T * 1000).astype("<i2").tobytes() if dat is None else dat
        (folder / name).write_bytes(data)

    return write


def linked(folder):
    wfdb()(folder)
    (folder / "a.dat").unlink()
    (folder / "a.dat").symlink_to("/etc/passwd")


WFDB_NAME = "not a plain file name|not a valid WFDB|does not exist|segments"
WFDB = {
    "dot_dot": (wfdb(signal="../../etc/passwd 16 1000/mV 16 0 0 0 0 {}"), WFDB_NAME),
    "absolute": (wfdb(signal="/etc/passwd 16 1000/mV 16 0 0 0 0 {}"), WFDB_NAME),
    "address": (wfdb(signal="http://127.0.0.1:9/a.dat 16 1000/mV 16 0 0 0 0 {}"), WFDB_NAME),
    "s3_address": (wfdb(signal="s3://bucket/a.dat 16 1000/mV 16 0 0 0 0 {}"), WFDB_NAME),
    "file_missing": (wfdb(signal="b.dat 16 1000/mV 16 0 0 0 0 {}"), "does not exist"),
    "link_out": (linked, "link out of its folder"),
    "gain_nan": (wfdb(signal="a.dat 16 nan/mV 16 0 0 0 0 {}"), "signal line cannot be read"),
    "gain_infinite": (wfdb(signal="a.dat 16 1e999/mV 16 0 0 0 0 {}"), "WFDB|gain|finite|flat|lead"),
    "gain_tiny": (wfdb(signal="a.dat 16 1e-300/mV 16 0 0 0 0 {}"), "samples of .* are missing"),
    "gain_negative_zero": (wfdb(signal="a.dat 16 -0.0/mV 16 0 0 0 0 {}"), "pass --gain"),
    "rate_zero": (wfdb(record="a 12 0 5000"), "does not state its sampling rate"),
    "rate_negative": (wfdb(record="a 12 -500 5000"), "does not state its sampling rate"),
    "rate_nan": (wfdb(record="a 12 nan 5000"), "does not state its sampling rate"),
    "rate_1e300": (wfdb(record="a 12 1e300 5000"), "100 to 10000 Hz"),
    "samples_10_to_12": (wfdb(record="a 12 500 1000000000000"), "states"),
    "samples_negative": (wfdb(record="a 12 500 -5"), "its first line must be name"),
    "signals_10_to_9": (wfdb(record="a 1000000000 500 5000"), "states|WFDB"),
    "signals_none": (wfdb(record="a 0 500 5000"), "WFDB|states"),
    "segments": (wfdb(["a/2 12 500 5000", "b 2500", "c 2500"]), "segments"),
    "segments_of_itself": (wfdb(["a/2 12 500 5000", "a 2500", "a 2500"]), "segments"),
    "frame_of_10_to_9": (wfdb(signal="a.dat 16x1000000000 1000/mV 16 0 0 0 0 {}"), "frame|WFDB|states"),
    "format_unknown": (wfdb(signal="a.dat 999 1000/mV 16 0 0 0 0 {}"), "format|WFDB"),
    "format_flac": (wfdb(signal="a.dat 516 1000/mV 16 0 0 0 0 {}"), "format|WFDB"),
    "skew": (wfdb(signal="a.dat 16:1000000000 1000/mV 16 0 0 0 0 {}"), "skew|WFDB"),
    "skew_of_almost_all": (wfdb(signal="a.dat 16:4999 1000/mV 16 0 0 0 0 {}"), "samples of .* are missing"),
    "skews_that_differ": (
        wfdb(["a 12 500 5000", *(f"a.dat 16:{i} 1000/mV 16 0 0 0 0 {lead}" for i, lead in enumerate(LEADS))]),
        "limb leads contradict",
    ),
    "checksum_of_15_digits": (wfdb(signal="a.dat 16 1000/mV 16 0 0 999999999999999 0 {}"), ""),
    "offset_10_to_15": (wfdb(signal="a.dat 16+1000000000000000 1000/mV 16 0 0 0 0 {}"), "states|WFDB"),
    "cut_off": (wfdb(dat=bytes(1000)), "states"),
    "line_of_60_kb": (wfdb(["a 12 500 5000" + " 1" * 30_000]), "characters|WFDB"),
    "header_of_1_mb": (wfdb(["#" * 2**20]), "too many for a header"),
    "regex_of_death": (wfdb(["a" + "/1" * 400 + "!"]), "its first line must be name"),
    "no_text": (wfdb(["a 12 500 5000", "\u0661\u0662" * 20]), "WFDB|describes 1"),
    "empty": (lambda folder: (folder / "a.hea").write_bytes(b""), "is empty"),
}

FIELDS = {
    "label": 16,
    "transducer": 80,
    "units": 8,
    "low": 8,
    "high": 8,
    "least": 8,
    "most": 8,
    "filter": 80,
    "samples": 8,
    "reserved": 32,
}


def edf(data=None, *, labels=LEADS, n=None, records="10", duration="1", size=None, reserved="", **changes):
    """Write an EDF by hand; changes are cells of all signals."""
    signal = {
        "transducer": "",
        "units": "mV",
        "low": "-32.768",
        "high": "32.767",
        "least": "-32768",
        "most": "32767",
        "filter": "",
        "samples": "500",
        "reserved": "",
    } | changes
    first = f"{'0':8}{'X X X X':80}{'Startdate X X X X':80}{'01.01.20':8}{'00.00.00':8}{size or 256 * 13:<8}{reserved:44}{records:8}{duration:8}{n or len(labels):<4}"
    second = "".join(
        (lead if name == "label" else signal[name])[:width].ljust(width)
        for name, width in FIELDS.items()
        for lead in labels
    )
    if data is None:
        counts = np.round(ECG * 1000).astype("<i2").reshape(12, 10, 500)
        data = counts.transpose(1, 0, 2).tobytes()
    return (first + second).encode("latin-1") + data


EDF_BAD = "EDF|BDF|cut off|calibration|rate|shape|unit"
EDF = {
    "records_10_to_7": (edf(records="9999999"), "is cut off"),
    "records_none": (edf(records="0"), "shape|EDF"),
    "records_minus_2": (edf(records="-2"), "EDF"),
    "records_no_number": (edf(records="ten"), EDF_BAD),
    "signals_9999": (edf(n=9999), EDF_BAD),
    "signals_negative": (edf(n=-12), EDF_BAD),
    "signals_more_than_there": (edf(b"", n=200), EDF_BAD),
    "samples_negative": (edf(samples="-500"), EDF_BAD),
    "samples_zero": (edf(samples="0"), f"{EDF_BAD}"),
    "samples_10_to_7": (edf(samples="99999999"), "is cut off"),
    "samples_float": (edf(samples="5e2"), EDF_BAD),
    "duration_zero": (edf(duration="0"), EDF_BAD),
    "duration_negative": (edf(duration="-1"), EDF_BAD),
    "duration_nan": (edf(duration="nan"), EDF_BAD),
    "duration_1e_300": (edf(duration="1e-300"), f"{EDF_BAD}|Hz"),
    "duration_1e300": (edf(duration="1e300"), f"{EDF_BAD}|Hz|short|needs"),
    "gain_nan": (edf(high="nan"), EDF_BAD),
    "gain_infinite": (edf(high="1e999"), EDF_BAD),
    "gain_of_1e300": (edf(high="1e300"), "samples of .* are missing|mV|calibration"),
    "no_span": (edf(low="5", high="5"), "calibration"),
    "no_digital_span": (edf(least="7", most="7"), "calibration"),
    "no_times": (edf(reserved="EDF+D"), "does not state its time"),
    "duration_text_in_edf_d": (edf(reserved="EDF+D", duration="x"), "how long a data record is"),
    "no_data": (edf(b""), "is cut off"),
    "cut_in_the_header": (edf()[:700], EDF_BAD),
    "units_unknown": (edf(units="furlong"), "furlong"),
    "units_blank": (edf(units=""), "units"),
}


def bdf(data=None, *, onset="+{}\x14\x14", **changes):
    """Write a BDF by hand; its last signal has the times, in place of V6."""
    counts = np.round(ECG * 1000).astype("<i4").reshape(12, 10, 500).transpose(1, 0, 2)
    raw = counts.reshape(10, -1, 1).view(np.uint8)[:, :, :3].reshape(10, -1)
    for record in range(10):
        stamp = onset.format(record).encode("latin-1")
        raw[record, -1500 : len(stamp) - 1500] = list(stamp)
    content = edf(raw.tobytes() if data is None else data, **changes)
    return b"\xffBIOSEMI" + content[8:].replace(b"V6".ljust(16), b"BDF Annotations ", 1)


def edf_with_times(bits=24):
    """Write a short EDF+D or BDF+D of nine data records, each with its time."""
    width, n = bits // 8, 100
    counts = np.round(ECG[:, :900] * 1000).astype("<i4").reshape(12, 9, n).transpose(1, 0, 2)
    raw = counts.reshape(9, -1, 1).view(np.uint8)[:, :, :width].reshape(9, -1)
    stamps = [f"+{record / 5:g}\x14\x14".encode().ljust(n * width, b"\0") for record in range(9)]
    body = b"".join(record.tobytes() + stamp for record, stamp in zip(raw, stamps, strict=True))
    kind = "BDF+D" if bits == 24 else "EDF+D"
    labels = (*LEADS, f"{kind[:3]} Annotations")
    content = edf(body, labels=labels, records="9", samples="100", duration="0.2", reserved=kind)
    return (b"\xffBIOSEMI" if bits == 24 else content[:8]) + content[8:]


# Without V6 the leads are not complete, but the faults of the header come first.
BDF = {
    "records_10_to_7": (bdf(records="9999999"), "V6"),
    "magic_alone": (b"\xffBIOSEMI", r"is named \.bdf, but it is"),
    "signals_9999": (bdf(n=9999), EDF_BAD),
    "samples_negative": (bdf(samples="-500"), EDF_BAD),
    "cut_in_the_header": (bdf()[:700], f"{EDF_BAD}|unknown"),
    "twelve_bits_of_text": (b"\xffBIOSEMI" + b"9" * 5000, f"{EDF_BAD}|unknown"),
    "bytes_missing": (b"\xffBIOSEMI" + edf()[8:-1], "cut off"),
    "no_times": (b"\xffBIOSEMI" + edf(bytes(180_000), reserved="BDF+D")[8:], "does not state its time"),
}


CASES = [
    *(of_bytes(f"csv_{name}", content, why, "a.csv") for name, (content, why) in TABLES.items()),
    of_bytes("csv_of_something_else", b"name,age\nx,1\n", PASSED_OVER, "a.csv"),
    *(Case(f"wfdb_{name}", write, why) for name, (write, why) in WFDB.items()),
    *(of_bytes(f"edf_{name}", content, why, "a.edf") for name, (content, why) in EDF.items()),
    *(of_bytes(f"bdf_{name}", content, why, "a.bdf") for name, (content, why) in BDF.items()),
]
