"""Hostile .zip files."""

import io
import struct
import zipfile
import zlib

import numpy as np
from hostile.arrays import ECG, npy
from hostile.case import of_bytes

GOOD = npy(ECG[:, :1000])
OUTSIDE = "outside the archive"
BROKEN = "cannot be unpacked|not a valid .zip"
BOMB = "zip bomb|unpacks to more than|cannot be unpacked"


def archive(*entries, method=zipfile.ZIP_DEFLATED):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as made:
        for name, content in entries:
            made.writestr(name, content)
    return file.getvalue()


def by_hand(*entries, comment=b"", n=None, offset=None, zip64=False):
    """Write an archive of (name, data, changes). The changes are false values in its headers."""
    body, central = bytearray(), bytearray()
    for name, data, lies in entries:
        facts = {"method": 0, "crc": zlib.crc32(data), "packed": len(data), "size": len(data), "flags": 0x800} | lies
        fields = (facts["flags"], facts["method"], 0, 33, facts["crc"], facts["packed"], facts["size"], len(name), 0)
        at = lies.get("at", len(body))
        central += (
            b"PK\1\2"
            + struct.pack("<HHHHHHIIIHH", 20, 20, *fields)
            + struct.pack("<HHHII", 0, 0, 0, lies.get("mode", 0) << 16, at)
            + name
        )
        body += b"PK\3\4" + struct.pack("<HHHHHIIIHH", 20, *fields) + name + data
    n = len(entries) if n is None else n
    end = struct.pack(
        "<HHHHIIH", 0, 0, n & 0xFFFF, n & 0xFFFF, len(central), len(body) if offset is None else offset, len(comment)
    )
    return body + central + (_end_64(n, len(central), len(body)) if zip64 else b"") + b"PK\5\6" + end + comment


def _end_64(n, size, at):
    end = b"PK\6\6" + struct.pack("<QHHIIQQQQ", 44, 45, 45, 0, 0, 2**63, 2**63, 2**63, 2**63)
    return end + b"PK\6\7" + struct.pack("<IQI", 0, at + size, 1)


def one(name=b"a.npy", data=GOOD, **lies):
    return by_hand((name, data, lies))


def many_entries(n):
    return by_hand(*((b"%d.npy" % i, b"", {}) for i in range(n)))


def overlapping():
    """Many entries of one and the same data."""
    packed = _deflated(bytes(200_000_000))
    return by_hand(
        (b"0.npy", packed, {"method": 8, "size": 200_000_000, "crc": 0}),
        *(
            (b"%d.npy" % i, b"", {"method": 8, "packed": len(packed), "size": 200_000_000, "crc": 0, "at": 0})
            for i in range(1, 500)
        ),
    )


def quoting():
    """Entries whose data holds the headers of the next ones."""
    inner = one(b"b.npy")
    return by_hand(
        (b"a.npy", inner[: inner.index(b"PK\1\2")], {}),
        (b"b.npy", b"", {"at": 35, "size": len(GOOD), "packed": len(GOOD), "crc": zlib.crc32(GOOD)}),
    )


def _deflated(content):
    packer = zlib.compressobj(9, wbits=-15)
    return packer.compress(content) + packer.flush()


def nested(depth):
    content = archive(("a.npy", GOOD))
    for _ in range(depth):
        content = archive(("inner.zip", content))
    return content


PACKED = _deflated(GOOD)
DAMAGED = bytearray(archive(("a.npy", GOOD)))
DAMAGED[300] ^= 0xFF

FILES = {
    "dot_dot": (archive(("../../a.npy", GOOD)), OUTSIDE),
    "absolute": (archive(("/etc/a.npy", GOOD)), OUTSIDE),
    "drive": (archive(("C:\\a.npy", GOOD)), OUTSIDE),
    "backslashes": (one(b"..\\..\\a.npy"), OUTSIDE),
    "link": (one(mode=0o120777, data=b"/etc/passwd"), "symbolic link"),
    "encrypted": (one(flags=1), "encrypted"),
    "encrypted_strongly": (one(flags=0x41), "encrypted"),
    "wrong_crc": (one(crc=1), BROKEN),
    "claims_less": (one(size=500, packed=500), BROKEN),
    "claims_more": (one(size=10**9), f"unpacks to more than|{BROKEN}"),
    "claims_more_than_the_file": (one(size=10**8, packed=10**8), "claims more bytes than the archive has"),
    "claims_4_gb": (one(size=2**32 - 2, packed=2**32 - 2), f"{BOMB}|{BROKEN}"),
    "deflate_damaged": (bytes(DAMAGED), BROKEN),
    "deflate_unpacks_to_more": (one(data=PACKED, method=8, size=300), BROKEN),
    "method_unknown": (one(method=99), "not compressed with deflate"),
    "method_bzip2": (archive(("a.npy", GOOD), method=zipfile.ZIP_BZIP2), "not compressed with deflate"),
    "method_lzma": (archive(("a.npy", GOOD), method=zipfile.ZIP_LZMA), "not compressed with deflate"),
    "offset_outside": (one(at=2**31), BROKEN),
    "directory_cut": (archive(("a.npy", GOOD))[:-30], BROKEN),
    "front_cut": (archive(("a.npy", GOOD))[2000:], "unknown format"),
    "bomb_240_mb": (archive(("a.npy", npy(np.zeros((12, 5_000_000), np.float32)))), BOMB),
    "bomb_overlapping": (overlapping(), BOMB),
    "bomb_quoting": (quoting(), BOMB),
    "bomb_nested": (nested(20), "does not hold a recording"),
    "quine_like": (nested(0)[:4] + bytes(500), "not a valid .zip"),
    "zip64_lies": (
        by_hand((b"a.npy", GOOD, {}), n=0xFFFF, offset=0xFFFFFFFF, zip64=True),
        f"{BROKEN}|too many entries",
    ),
    "counts_more": (by_hand((b"a.npy", GOOD, {}), n=60_000), ""),
    "hundred_thousand_entries": (many_entries(100_001), "has 100001 entries"),
    "no_entries": (archive(), "does not hold a recording"),
    "only_text": (archive(("a.txt", b"x")), "does not hold a recording"),
    "not_an_npy": (archive(("a.npy", b"hello")), "is named .npy, but it is text"),
    "entry_empty": (archive(("a.npy", b"")), "is empty"),
    "entry_claims_huge": (archive(("a.npy", npy(ECG)[:80] + b"x")), "header cannot be read"),
    "entry_is_folder": (archive(("a.npy/", b"")), "does not hold a recording"),
    "comment_with_an_end": (by_hand((b"a.npy", GOOD, {}), comment=b"PK\5\6" + bytes(18)), "does not hold a recording"),
    "comment_of_64_kb": (by_hand((b"a.npy", GOOD, {}), comment=bytes(65535)), ""),
    "bytes_before": (b"PK" + bytes(5000) + archive(("a.npy", GOOD)), ""),
    "name_with_newline": (one(b"a\nb.npy"), ""),
    "name_of_a_formula": (one(b"=1+1.npy"), ""),
    "name_right_to_left": (one("\u202eyps.npy".encode()), ""),
    "name_no_utf8": (one(b"\xff\xfe.npy"), "not a valid .zip"),
    "name_with_nul": (one(b"a.npy\0.txt.npy"), ""),
    "name_of_60_kb": (one(b"a" * 60_000 + b".npy"), ""),
    "name_nothing": (one(b".npy"), ""),
}
# The first of two is read, the second is refused.
TWINS = {"twice_the_same": (b"a.npy", b"a.npy"), "twice_but_for_case": (b"A.npy", b"a.npy")}

CASES = [
    *(of_bytes(f"zip_{name}", content, why, "a.zip") for name, (content, why) in FILES.items()),
    *(
        of_bytes(f"zip_{name}", by_hand(*((entry, GOOD, {}) for entry in names)), "more than once", "a.zip")
        for name, names in TWINS.items()
    ),
]
