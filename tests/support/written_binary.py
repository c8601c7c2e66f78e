"""Writes SCP-ECG, MFER and ISHNE files by the standards. Steps are integers, shape (leads, samples)."""

import binascii
import struct

import numpy as np

SCP_CODES = {
    **{lead: code for code, lead in enumerate(("I", "II", "V1", "V2", "V3", "V4", "V5", "V6"), 1)},
    **{lead: code for code, lead in enumerate(("III", "aVR", "aVL", "aVF"), 61)},
}
ISHNE_CODES = {
    lead: code for code, lead in enumerate(("I", "II", "III", "aVR", "aVL", "aVF", *(f"V{i}" for i in range(1, 7))), 5)
}
EIGHT = ("I", "II", "V1", "V2", "V3", "V4", "V5", "V6")


def scp(
    steps, leads=EIGHT, *, interval_us=2000, nanovolts=5000, difference=0, table=None, starts=None, flags=None,
    bimodal=0, beat=None, crc=True, lasts=None, others=None, protocol=20,
):  # fmt: skip
    """Return an SCP-ECG.

    Args:
        steps: The leads.
        difference: 1 for first and 2 for second differences.
        table: "default" or a list of (value, code as text) for Huffman coding; None for plain numbers.
        starts: First sample of each lead, from 1.
        flags: Flags of the lead definition.
        beat: Steps of the reference beat, subtracted around each of the fiducial points that follow it.
        others: Bodies of other sections, by number.
        protocol: Ten times the version of the standard.
    """
    starts = starts or [1] * len(leads)
    lasts = lasts or [start + len(row) - 1 for start, row in zip(starts, steps, strict=True)]
    subtracted = beat is not None
    flags = (len(leads) << 3 | 4 | subtracted) if flags is None else flags
    definition = bytes([len(leads), flags]) + b"".join(
        struct.pack("<IIB", start, last, SCP_CODES[lead])
        for start, last, lead in zip(starts, lasts, leads, strict=True)
    )
    bodies = {1: b"\xff\0\0", 3: definition, **(others or {})}
    if table is not None:
        bodies[2] = struct.pack("<H", 19999) if table == "default" else scp_table(table)
    if subtracted:
        shape, fiducial, places = beat
        length = len(shape[0])
        bodies[4] = struct.pack("<HHH", length * interval_us // 1000, fiducial, len(places)) + b"".join(
            struct.pack("<HIII", 0, place - fiducial + 1, place, place - fiducial + length) for place in places
        )
        bodies[5] = scp_data(shape, interval_us, nanovolts, difference, table)
        steps = np.array(steps)
        for place in places:
            steps[:, place - fiducial : place - fiducial + length] -= shape
    bodies[6] = scp_data(steps, interval_us, nanovolts, difference, table, bimodal)
    return scp_file(bodies, crc=crc, protocol=protocol)


def scp_file(bodies, *, crc=True, protocol=20):
    """Return an SCP-ECG of sections by number."""
    numbers = [0, *sorted(bodies)]
    lengths = {0: 16 + 10 * len(numbers), **{number: 16 + len(body) for number, body in bodies.items()}}
    places = {number: 7 + sum(lengths[before] for before in numbers[:at]) for at, number in enumerate(numbers)}
    pointers = b"".join(struct.pack("<HII", number, lengths[number], places[number]) for number in numbers)
    bodies = {**bodies, 0: pointers}
    content = b"".join(_scp_section(number, bodies[number], protocol) for number in numbers)
    record = struct.pack("<I", 6 + len(content)) + content
    return struct.pack("<H", binascii.crc_hqx(record, 0xFFFF) ^ (not crc)) + record


def _scp_section(number, body, protocol):
    rest = struct.pack("<HIBB", number, 16 + len(body), 20, protocol) + (b"SCPECG" if number == 0 else bytes(6)) + body
    return struct.pack("<H", binascii.crc_hqx(rest, 0xFFFF)) + rest


def scp_data(steps, interval_us, nanovolts, difference=0, table=None, bimodal=0):
    """Return the body of section 5 or 6."""
    rows = [scp_row(np.asarray(row, int), difference, table) for row in steps]
    sizes = struct.pack(f"<{len(rows)}H", *map(len, rows))
    return struct.pack("<HHBB", nanovolts, interval_us, difference, bimodal) + sizes + b"".join(rows)


def scp_row(row, difference, table):
    row = np.concatenate([row[:difference], np.diff(row, difference)])  # the first values stand as they are
    if table is None:
        return row.astype("<i2").tobytes()
    bits = "".join((default_code if table == "default" else dict(table).__getitem__)(int(value)) for value in row)
    return int(bits.ljust(-(-len(bits) // 8) * 8, "0"), 2).to_bytes(-(-len(bits) // 8), "big")


def default_code(value):
    """Return the code of a value in the default table: ones, a zero and the sign, or an escape and the number."""
    size = abs(value)
    if not value:
        return "0"
    if size <= 8:
        return "1" * size + "0" + ("0" if value > 0 else "1")
    if -128 <= value < 128:
        return "1111111110" + f"{value & 0xFF:08b}"
    return "1111111111" + f"{value & 0xFFFF:016b}"


def scp_table(codes, *, tables=1):
    """Return the body of section 2: the first bit of a code is stored as the lowest bit."""
    rows = b"".join(struct.pack("<BBBhI", len(code), len(code), 1, value, int(code[::-1], 2)) for value, code in codes)
    return struct.pack("<HH", tables, len(codes)) + rows


def mfer(
    steps, leads=EIGHT, *, interval=(1, -3, 2), sensitivity=(0, -6, 5), little=True, dtype="<i2", frames=1, kind=1,
    pointers=False, more=b"", sequences=None, preamble=True,
):  # fmt: skip
    """Return an MFER file: each frame has one block of each lead.

    Args:
        interval: Unit (0 Hz, 1 s), exponent of ten and mantissa.
        sensitivity: Unit (0 V), exponent of ten and mantissa.
        frames: Number of parts that the leads are written in.
        kind: 1 for a 12-lead ECG, 9 for dominant beats.
        more: Definitions before the first frame.
    """
    order = "little" if little else "big"
    steps = np.asarray(steps)
    content = tlv(0x40, b"MFR " + b" " * 28) if preamble else b""
    content += tlv(0x01, bytes([little])) + tlv(0x05, len(leads).to_bytes(2, order))
    content += tlv(0x08, kind.to_bytes(2, order)) + tlv(0x0A, b"\0")
    for tag, stated in ((0x0B, interval), (0x0C, sensitivity)):
        if stated is not None:
            unit, exponent, mantissa = stated
            content += tlv(tag, struct.pack("<Bb", unit, exponent) + mantissa.to_bytes(2, order))
    for channel, lead in enumerate(leads):
        name = tlv(0x09, SCP_CODES[lead].to_bytes(2, order))
        content += bytes([0x3F, channel, len(name)]) + name
    content += more
    for part, block in enumerate(np.array_split(steps, frames, axis=1)):
        content += tlv(0x04, block.shape[1].to_bytes(4, order)) + tlv(0x06, (sequences or 1).to_bytes(2, order))
        if pointers:
            content += tlv(0x07, (part * block.shape[1] + 100 * part).to_bytes(4, order))
        content += tlv(0x1E, block.astype(dtype).tobytes())
    return content + b"\x80\0"


def tlv(tag, value):
    """Return one MFER definition."""
    length = bytes([len(value)]) if len(value) < 0x80 else b"\x84" + len(value).to_bytes(4, "big")
    return bytes([tag]) + length + value


def ishne(steps, leads=None, *, rate=500, nanovolts=5000, comments=b"", place=None, promised=None, checksum=None):
    """Return an ISHNE file."""
    steps = np.asarray(steps)
    leads = tuple(ISHNE_CODES) if leads is None else leads
    codes = [ISHNE_CODES.get(lead, 0) for lead in leads] + [-9] * (12 - len(leads))
    header = bytearray(512)
    at = 522 + len(comments) if place is None else place
    samples = steps.shape[1] if promised is None else promised
    struct.pack_into("<iiiih", header, 0, len(comments), samples, 522, at, 1)
    struct.pack_into("<h12h", header, 146, len(leads), *codes)
    struct.pack_into("<12h", header, 196, *[nanovolts] * 12)
    struct.pack_into("<h", header, 262, rate)
    covered = bytes(header) + comments
    checksum = binascii.crc_hqx(covered, 0xFFFF) if checksum is None else checksum
    return b"ISHNE1.0" + struct.pack("<H", checksum) + covered + steps.T.astype("<i2").tobytes()
