"""Strategies for input: damaged files, made-up files, and command lines."""

import struct
from functools import cache

import numpy as np
from hostile import archives, arrays, texts, waveforms
from hypothesis import strategies as st
from written_binary import EIGHT, ishne, mfer, scp, scp_file, tlv
from written_vendor import aecg, cardiosoft, mortara, muse, philips

from ecg_edge.readers import Declared

SIGNAL = arrays.ECG[:, :900]
OF_EIGHT = [texts.LEADS.index(lead) for lead in EIGHT]
_NUMBERS = [
    "0",
    "-1",
    "1",
    "nan",
    "inf",
    "-inf",
    "1e999",
    "1e-999",
    "99999999",
    "-32768",
    str(2**31),
    str(2**63),
    "1_0",
    "+5",
    " ",
    "",
    "0x10",
    "1,5",
    "\u0661",
]
_BYTES = [
    b"\0",
    b"\xff",
    b"\n",
    b"\r",
    b",",
    b'"',
    b"/",
    b"..",
    b"(",
    b"'",
    b"\xff\xff\xff\xff",
    b"\0\0\0\x80",
    b"NaN",
    b"1e999",
    b"PK\1\2",
    b"\x93NUMPY",
]


def _wfdb_header():
    return (
        "\n".join(["a 12 500 900", *(f"a.dat 16 1000/mV 16 0 0 0 0 {lead}" for lead in texts.LEADS)]).encode() + b"\n"
    )


def _tables_of_devices(table):
    rows = [
        ",".join([lead, *(f"{value:.3f}" for value in row[:200])])
        for lead, row in zip(texts.LEADS, SIGNAL, strict=True)
    ]
    clock = table.replace(b"time (s)", b"time").replace(b"\n0.", b"\n00:00:00.")
    return ["\n".join(rows).encode(), clock, b"sep=;\nDevice;x\n" + table.replace(b",", b";")]


def _dicom_files(counts):
    whole = waveforms.of_group(NumberOfWaveformSamples=900, WaveformData=counts.T.tobytes())
    meta = 144 + int.from_bytes(whole[140:144], "little")
    return [whole, whole[meta:], waveforms.deflated(whole[meta:]), waveforms.of_groups(6, 6)]


def _codes():
    """Return a Huffman table of all small differences: a code of eleven bits for each."""
    return [(value, f"{value + 1024:011b}") for value in range(-1000, 1000)]


@cache
def seeds() -> dict[str, list[bytes]]:
    """Return valid files of each format, by suffix."""
    table = "\n".join([",".join(["time (s)", *(f"{lead} (mV)" for lead in texts.LEADS)]), *texts.ROWS[:60]]).encode()
    bare = "\n".join("\t".join(row.split(",")[1:]).replace(".", ",") for row in texts.ROWS[:60]).encode()
    counts = np.round(SIGNAL * 1000).astype("<i2")
    steps = np.round(SIGNAL * 200).astype(int)
    npy = arrays.npy(SIGNAL)
    return {
        ".npy": [npy, arrays.npy(np.asfortranarray(SIGNAL).astype(">i2")), arrays.npy(SIGNAL, (2, 0))],
        ".zip": [
            archives.archive(("a.npy", npy), ("b/c.csv", table)),
            archives.by_hand((b"a.npy", npy, {})),
            archives.nested(1),
        ],
        ".csv": [table, bare, table.replace(b"I (mV)", b'"I (mV)"'), table.decode().encode("utf-16")],
        ".txt": [bare, *_tables_of_devices(table)],
        ".json": [
            b'{"sampling_rate": 250, "units": "uV", "samples": 900}',
            b'{"sampling_rate": 250.0, "units": "mV", "samples": 900}',
            b'{"leads": ["I","II","III","aVR","aVL","aVF","V1","V2","V3","V4","V5","V6"]}',
        ],
        ".bdf": [texts.edf_with_times(), texts.edf_with_times(bits=16)],
        ".edf": [
            texts.edf(
                counts.reshape(12, 9, 100).transpose(1, 0, 2).tobytes(), records="9", samples="100", duration="0.2"
            )
        ],
        ".dcm": _dicom_files(counts),
        ".muse.xml": [muse(steps[OF_EIGHT]), muse(steps[OF_EIGHT], units="MILLIVOLTS").decode().encode("utf-16")],
        ".aecg.xml": [aecg(steps[:, :300])],
        ".mortara.xml": [mortara(steps)],
        ".cardiosoft.xml": [cardiosoft(steps[:, :300])],
        ".philips.xml": [philips(steps), philips(steps, compressed=False)],
        ".scp": [
            scp(steps[OF_EIGHT]),
            scp(steps[OF_EIGHT], table="default", difference=2),
            scp(steps[OF_EIGHT] // 50, table=_codes(), difference=1, beat=(steps[OF_EIGHT, :100] // 50 * 0, 50, [300])),
        ],
        ".mwf": [mfer(steps[OF_EIGHT]), mfer(steps[OF_EIGHT], little=False, dtype=">i2", frames=3, preamble=False)],
        ".ecg": [ishne(steps, comments=b"x")],
        ".hea": [_wfdb_header(), _wfdb_header().replace(b" 16 1000/mV", b" 212 200(0)/uV")],
    }


@st.composite
def mutated(draw, suffix):
    """Damage a valid file by flips, splices, cuts and repeats, most of them in its header."""
    content = bytearray(draw(st.sampled_from(seeds()[suffix])))
    for _ in range(draw(st.integers(1, 6))):
        end = max(1, len(content))
        at = draw(
            st.one_of(
                st.integers(0, min(end, 600) - 1), st.integers(0, end - 1), st.integers(max(0, end - 100), end - 1)
            )
        )
        kind = draw(st.sampled_from(["flip", "set", "insert", "cut", "drop", "repeat", "number"]))
        length = draw(st.integers(1, 64))
        if kind == "flip" and at < len(content):
            content[at] ^= 1 << draw(st.integers(0, 7))
        elif kind == "set":
            content[at : at + length] = draw(st.binary(min_size=length, max_size=length))
        elif kind == "insert":
            content[at:at] = draw(st.sampled_from(_BYTES))
        elif kind == "cut":
            del content[at:]
        elif kind == "drop":
            del content[at : at + length]
        elif kind == "repeat":
            content[at:at] = content[at : at + length] * draw(st.integers(1, 50))
        else:
            number = draw(st.sampled_from(_NUMBERS)).encode()
            content[at : at + len(number)] = number
    return bytes(content)


_shapes = st.one_of(
    st.tuples(st.just(12), st.integers(-5, 2**70)), st.lists(st.integers(-(2**70), 2**70), max_size=70).map(tuple)
)
_types = st.sampled_from(
    [
        "<f4",
        ">f8",
        "<f2",
        "|O",
        "|S0",
        "<U9",
        "|V8",
        "<c16",
        "|b1",
        "<M8[s]",
        "<i8",
        "f",
        "",
        "\0",
        "<f99",
        "3<f4",
        "(2,)f4",
    ]
)


@st.composite
def made_npy(draw):
    """Make an .npy whose header is a dictionary of anything."""
    shape = draw(st.one_of(_shapes, st.text(max_size=20), st.none(), st.floats()))
    descr = draw(st.one_of(_types, st.just([("a", "<f4")]), st.text(max_size=10), st.none()))
    text = f"{{'descr': {descr!r}, 'fortran_order': {draw(st.sampled_from([True, False, 0, None]))!r}, 'shape': {shape!r}, }}"
    return arrays.header(text.encode("latin-1", "replace")) + draw(st.binary(max_size=200)) * draw(
        st.sampled_from([1, 300])
    )


@st.composite
def made_edf(draw):
    """Make an EDF of any numbers."""
    number = st.sampled_from(_NUMBERS)
    cells = {
        key: draw(number).encode("ascii", "replace").decode()
        for key in draw(st.sets(st.sampled_from(["low", "high", "least", "most", "samples", "units"])))
    }
    fixed = {key: draw(number) for key in draw(st.sets(st.sampled_from(["records", "duration"])))}
    return texts.edf(
        draw(st.sampled_from([b"", bytes(24_000)])),
        **{"samples": "100", "records": "10"}
        | cells
        | {key: value.encode("ascii", "replace").decode() for key, value in fixed.items()},
    )


@st.composite
def made_hea(draw):
    """Make a WFDB header of any fields."""
    field = st.one_of(
        st.sampled_from(_NUMBERS),
        st.sampled_from(
            [
                "16",
                "212",
                "a.dat",
                "../a.dat",
                "a",
                "mV",
                "1000/mV",
                "16x2",
                "200(-5)/uV",
                "16:3",
                "16+24",
                "/",
                "http://x/a.dat",
            ]
        ),
        st.text("0123456789.-+/():xe", max_size=8),
    )
    lines = [" ".join(["a", draw(st.sampled_from(["12", "1", "0", *_NUMBERS])), *draw(st.lists(field, max_size=4))])]
    signal = draw(st.lists(field, max_size=9))
    lines += [" ".join(["a.dat", *signal, lead]) for lead in texts.LEADS]
    return "\n".join(lines).encode()


@st.composite
def made_csv(draw):
    """Make a table of any cells."""
    cell = st.one_of(st.sampled_from(_NUMBERS), st.floats().map(str), st.text(max_size=5))
    delimiter = draw(st.sampled_from([",", ";", "\t"]))
    head = draw(
        st.sampled_from([texts.LEADS, ("time", *texts.LEADS), ("t (ms)", *(f"{lead} [uV]" for lead in texts.LEADS))])
    )
    n = len(head)
    rows = draw(st.lists(st.lists(cell, min_size=n, max_size=n), max_size=6)) * draw(st.sampled_from([1, 200]))
    return "\n".join(map(delimiter.join, [head, *rows])).encode("utf-8", "replace")


@st.composite
def made_scp(draw):
    """Make an SCP-ECG whose sections hold anything of about their length."""
    words = st.sampled_from([0, 1, 2, 5, 8, 255, 999, 5000, 29999, 65535, 2**31, 2**32 - 1])
    body = st.lists(st.tuples(words, st.sampled_from("BHI")), max_size=60).map(
        lambda parts: b"".join(
            struct.pack(f"<{size}", word % 2 ** {"B": 8, "H": 16, "I": 32}[size]) for word, size in parts
        )
    )
    bodies = draw(st.dictionaries(st.sampled_from([1, 2, 3, 4, 5, 6, 7, 8, 10, 12]), body))
    if draw(st.booleans()):
        bodies[3] = bytes([8, 0x44]) + b"".join(struct.pack("<IIB", 1, draw(words), lead) for lead in range(1, 9))
    return scp_file(bodies)


@st.composite
def made_mfer(draw):
    """Make an MFER of any definitions."""
    tags = st.sampled_from(
        [0x01, 0x04, 0x05, 0x06, 0x07, 0x08, 0x09, 0x0A, 0x0B, 0x0C, 0x0D, 0x12, 0x1E, 0x43, 0x67, 0x80]
    )
    flat = st.builds(tlv, tags, st.one_of(st.binary(max_size=8), st.binary(min_size=16, max_size=64)))
    channel = st.builds(
        lambda number, value: bytes([0x3F, number, len(value) & 0x7F]) + value, st.integers(0, 255), flat
    )
    some = st.lists(st.one_of(flat, channel, st.binary(max_size=3)), max_size=20).map(b"".join)
    content = mfer(np.round(SIGNAL[OF_EIGHT] * 200).astype(int))
    at = draw(st.integers(34, 130))
    return content[:at] + draw(some) + content[at:]


MADE = {
    ".scp": made_scp(),
    ".mwf": made_mfer(),
    ".npy": made_npy(),
    ".edf": made_edf(),
    ".hea": made_hea(),
    ".csv": made_csv(),
}


def files(suffix):
    """Return a strategy for files of a format: damaged files, and made-up files if there is a strategy for them."""
    return st.one_of(mutated(suffix), MADE[suffix]) if suffix in MADE else mutated(suffix)


declarations = st.sampled_from(
    [Declared(), Declared(500, "mV"), Declared(1e-300, "V"), Declared(360.5, "uV", texts.LEADS)]
)

_options = st.lists(
    st.sampled_from(
        [
            *[["--format", form] for form in ("text", "json", "jsonl", "csv", "submission", "yaml", "")],
            *[["--sampling-rate", rate] for rate in ("500", "0", "-1", "nan", "inf", "1e308", "x", "499.999")],
            *[["--units", units] for units in ("mV", "uV", "", "parsec", "\u00b5V")],
            *[["--leads", leads] for leads in (",".join(texts.LEADS), "", ",,,", "I,I", "I" * 5000)],
            *[["--threads", number] for number in ("1", "2", "0", "-1", "1e9")],
            *[
                [flag]
                for flag in ("--all-sites", "--windows", "--no-quality-gate", "--follow", "--nonsense", "--", "-h")
            ],
            *[["--output", path] for path in ("out.txt", ".", "/nowhere/out.txt", "", "/dev/full")],
            ["--sample", "a.npy"],
            ["--models", "."],
        ]
    ),
    max_size=3,
)
_paths = st.lists(
    st.sampled_from(["a", "-", ".", "nowhere", "", "\0", "a" * 300, "/dev/null", "/dev/stdin"]), max_size=2
)


def command_lines():
    """Return a strategy for suffix, content, options and further paths."""
    return st.sampled_from(sorted(seeds())).flatmap(
        lambda suffix: st.tuples(st.just(suffix), files(suffix), _options, _paths)
    )
