"""Hostile .npy files."""

import io
import os
import pickle

import numpy as np
from hostile.case import PASSED_OVER, Case, of_bytes

from ecg_edge.package_data import example_recordings

ECG = np.load(example_recordings() / "normal.npy")
MAGIC = b"\x93NUMPY"
UNSOUND = "header cannot be read"
REAL = "real numbers"
SHAPE = "expected a signal of shape"


def npy(array, version=None):
    file = io.BytesIO()
    np.lib.format.write_array(file, np.asanyarray(array), version)
    return file.getvalue()


def header(text, length=None):
    text = text if isinstance(text, bytes) else text.encode()
    return MAGIC + b"\1\0" + (len(text) if length is None else length).to_bytes(2, "little") + text


def claim(shape, descr="'<f4'", data=b"", fortran=False):
    return header(f"{{'descr': {descr}, 'fortran_order': {fortran}, 'shape': {shape}, }}\n") + data


def changed(value, dtype=np.float32):
    signal = ECG.astype(dtype)
    signal[6, 2500] = value
    return npy(signal)


class Evil:
    def __reduce__(self):
        return os.system, ("touch /tmp/ecg_edge_was_here",)


PICKLE = pickle.dumps(Evil())

CLAIMS = {
    "huge_shape": (claim("(12, 10000000000)"), "states 480000000000 bytes"),
    "overflowing_shape": (claim(f"(12, {2**63})"), f"states|{UNSOUND}"),
    "overflow_to_small": (claim(f"(12, {2**62 + 1})"), "states"),
    "negative_shape": (claim("(12, -5000)"), SHAPE),
    "both_negative": (claim("(-12, -5000)", data=bytes(240000)), SHAPE),
    "zero_samples": (claim("(12, 0)"), SHAPE),
    "no_leads": (claim("(0, 5000)"), SHAPE),
    "one_dimension": (npy(ECG.ravel()), SHAPE),
    "no_dimension": (npy(np.float32(1)), SHAPE),
    "three_dimensions": (npy(ECG[None]), SHAPE),
    "sixty_five_dimensions": (claim("(" + "1," * 65 + ")", data=bytes(4)), SHAPE),
    "transposed": (npy(ECG.T), "transposed"),
    "eleven_leads": (npy(ECG[:11]), SHAPE),
    "shape_of_floats": (claim("(12.0, 5000.0)", data=bytes(240000)), UNSOUND),
    "shape_of_bools": (claim("(True, True)", data=bytes(240000)), f"{SHAPE}|{UNSOUND}"),
    "shape_no_tuple": (claim("12", data=bytes(240000)), UNSOUND),
    "one_byte_short": (npy(ECG)[:-1], "is cut off"),
    "cut_in_the_header": (npy(ECG)[:40], UNSOUND),
    "magic_alone": (MAGIC, UNSOUND),
    "header_longer_than_file": (header("{}", length=60_000), UNSOUND),
}
TYPES = {
    "objects_with_pickle": (claim("(12, 5000)", "'|O'", PICKLE), REAL),
    "structured": (npy(np.zeros((12, 900), [("a", "f4")])), REAL),
    "structured_nested": (claim("(12, 5000)", "[('a', [('b', [('c', '<f4')])])]", bytes(240000)), REAL),
    "complex": (npy(ECG.astype(complex)), REAL),
    "strings": (npy(np.full((12, 900), "a")), REAL),
    "bytes": (npy(np.full((12, 900), b"a")), REAL),
    "booleans": (npy(ECG > 0), REAL),
    "dates": (npy(np.zeros((12, 900), "M8[s]")), REAL),
    "durations": (npy(np.zeros((12, 900), "m8[s]")), REAL),
    "void": (claim("(12, 5000)", "'|V1000000000'"), f"{REAL}|states"),
    "huge_itemsize": (claim("(12, 1)", "'|S2147483647'"), f"{REAL}|{UNSOUND}"),
    "subarray": (claim("(12, 5000)", "('<f4', (1000000, 1000))"), f"{REAL}|{SHAPE}|states|{UNSOUND}"),
    "no_type": (claim("(12, 5000)", "'nonsense'"), UNSOUND),
    "type_aligned_trick": (claim("(12, 5000)", "{'names': ['a'], 'formats': ['O'], 'offsets': [2147483647]}"), UNSOUND),
}
HEADERS = {
    "header_is_code": (header("__import__('os').system('touch /tmp/ecg_edge_was_here')"), UNSOUND),
    "header_nested": (header("(" * 5000), UNSOUND),
    "header_nested_unary": (header("-" * 9000 + "1"), UNSOUND),
    "header_long": (header(" " * 60_000), UNSOUND),
    "header_huge_number": (claim("(12, " + "9" * 5000 + ")"), f"{UNSOUND}|states"),
    "header_multiplies": (claim("('a' * 10**10,)"), UNSOUND),
    "header_no_dict": (header("[1, 2]"), UNSOUND),
    "header_more_keys": (header("{'descr': '<f4', 'fortran_order': False, 'shape': (12, 1), 'x': 1}"), UNSOUND),
    "header_unhashable": (header("{[]: 1}"), UNSOUND),
    "header_nul": (header(b"{'descr': '<f4\0'}"), UNSOUND),
    "header_not_ascii": (header(b"\xff\xfe" * 40), UNSOUND),
    "version_3": (npy(ECG, (3, 0)), ""),
    "version_9": (MAGIC + b"\x09\0" + bytes(100), "version"),
    "version_2_header_of_4_gb": (MAGIC + b"\2\0\xff\xff\xff\xff" + bytes(100), UNSOUND),
}
VALUES = {
    "nan": (changed(np.nan), ""),
    "infinity": (changed(-np.inf), ""),
    "beyond_float32": (changed(1e308, np.float64), ""),
    "beyond_measure": (changed(3e38), "no electrode gives"),
    "all_1e30": (npy(np.full((12, 5000), 1e30)), "check the unit|mV from 0"),
}
HARMLESS = {
    "big_endian": npy(ECG.astype(">f4")),
    "fortran_order": npy(np.asfortranarray(ECG)),
    "version_2": npy(ECG, (2, 0)),
    "garbage_after_the_data": npy(ECG) + os.urandom(5000),
    "denormals": npy(np.where(np.abs(ECG) < 0.01, np.float32(1e-42), ECG)),
    "float64": npy(ECG.astype(float)),
    "float16": npy(ECG.astype("<f2")),
}
OTHERS = {
    "pickle": (PICKLE, "named .npy, but it is"),
    "pickle_with_magic": (MAGIC + PICKLE, f"{UNSOUND}|version"),
    "npz": (b"PK\3\4" + bytes(100), "zip"),
    "empty": (b"", "is empty"),
    "zeros": (bytes(1000), "named .npy, but it is"),
    "html": (b"<html><script>alert(1)</script></html>", "named .npy, but it is"),
    "elf": (b"\x7fELF" + bytes(100), "named .npy, but it is"),
}


def _link(to):
    return lambda folder: (folder / "a.npy").symlink_to(to)


def _loop(folder):
    (folder / "a.npy").symlink_to("b")
    (folder / "b").symlink_to("a.npy")


def _named(name):
    return lambda folder: (folder / name).write_bytes(npy(ECG))


def _sparse(folder):
    with (folder / "a.npy").open("wb") as file:
        file.write(claim("(12, 50)"))
        file.truncate(2**40)


PLACES = [
    Case("folder_called_npy", lambda folder: (folder / "a.npy").mkdir(), PASSED_OVER),
    Case("link_loop", _loop, "Too many levels"),
    Case("link_to_nowhere", _link("/nowhere"), "No such file"),
    Case("link_to_dev_zero", _link("/dev/zero"), "not a regular file"),
    Case("link_to_stdin", _link("/dev/stdin"), "not a regular file|No such|No such device"),
    Case("link_to_its_folder", _link("."), PASSED_OVER),
    Case("link_to_proc_mem", _link("/proc/self/mem"), "Input/output error|empty|cannot be read"),
    Case("link_to_passwd", _link("/etc/passwd"), "named .npy, but it is"),
    Case("pipe", lambda folder: os.mkfifo(folder / "a.npy"), "not a regular file"),
    Case("tebibyte_of_nothing", _sparse, "50 samples|too short|needs 800"),
    Case("name_of_a_formula", _named("=cmd|' calc'!A0.npy")),
    Case("name_with_markup", _named("<img src=x onerror=alert(1)>.npy")),
    Case("name_with_newline", _named("a\nb: Cannot be trusted.npy")),
    Case("name_that_steers_a_terminal", _named("\x1b[2J\x1b]0;owned\x07.npy")),
    Case("name_right_to_left", _named("\u202eyps\u202d.npy")),
    Case("name_no_text", _named(os.fsdecode(b"\xff\xfe.npy"))),
    Case("name_like_an_option", _named("--output=x.npy")),
    Case("name_of_255_bytes", _named("a" * 251 + ".npy")),
]


def _with_sidecar(content):
    def write(folder):
        (folder / "a.npy").write_bytes(npy(ECG))
        (folder / "a.json").write_bytes(content)

    return write


def _link_beside(target):
    def write(folder):
        (folder / "a.npy").write_bytes(npy(ECG))
        (folder / "a.json").symlink_to(target)

    return write


BROKEN = "is not a valid sidecar"
SIDECARS = [
    Case("sidecar_nested", _with_sidecar(b'{"leads":' * 5000), BROKEN),
    Case("sidecar_nested_list", _with_sidecar(b"[" * 65_000)),
    Case("sidecar_of_200_mb", _with_sidecar(b'{"leads": ["I"' + b" " * 200_000_000 + b"]}")),
    Case("sidecar_million_leads", _with_sidecar(b'{"leads": [' + b'"",' * 20_000 + b'"I"]}'), BROKEN),
    Case("sidecar_rate_infinite", _with_sidecar(b'{"sampling_rate": Infinity}'), BROKEN),
    Case("sidecar_rate_of_5000_digits", _with_sidecar(b'{"sampling_rate": ' + b"9" * 5000 + b"}"), BROKEN),
    Case("sidecar_rate_tiny", _with_sidecar(b'{"sampling_rate": 1e-300}'), "Hz|31 days"),
    Case("sidecar_units_of_60_kb", _with_sidecar(b'{"units": "' + b"u" * 60_000 + b'"}'), BROKEN),
    Case("sidecar_units_steer_a_terminal", _with_sidecar(b'{"units": "\\u001b[2J\\n"}'), BROKEN),
    Case("sidecar_cut_off", _with_sidecar(b'{"sampling_rate": 5'), BROKEN),
    Case("sidecar_of_another_array", _with_sidecar(b'{"samples": 4999}'), "4999"),
    Case("sidecar_negative_samples", _with_sidecar(b'{"samples": -5000}'), "-5000"),
    Case("sidecar_is_a_device", _link_beside("/dev/zero")),
    Case("sidecar_is_passwd", _link_beside("/etc/passwd")),
    Case("sidecar_is_a_loop", _link_beside("a.json")),
    Case(
        "sidecar_is_a_pipe",
        lambda folder: (_with_sidecar(b"x")(folder), (folder / "a.json").unlink(), os.mkfifo(folder / "a.json")),
    ),
    Case("sidecar_of_bytes", _with_sidecar(bytes(range(256)) * 200)),
]

CASES = [
    *(
        of_bytes(name, content, why)
        for group in (CLAIMS, TYPES, HEADERS, VALUES, OTHERS)
        for name, (content, why) in group.items()
    ),
    *(of_bytes(name, content) for name, content in HARMLESS.items()),
    *PLACES,
    *SIDECARS,
]
