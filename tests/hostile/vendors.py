"""Hostile files of electrocardiographs: XML, SCP-ECG, MFER and ISHNE."""

import base64
import io
import os
import struct
import zipfile

import numpy as np
from hostile.arrays import ECG
from hostile.case import PASSED_OVER, Case
from written_binary import EIGHT, ishne, mfer, scp, scp_data, scp_file, scp_table, tlv
from written_vendor import LEADS, aecg, cardiosoft, mortara, muse, philips

STEPS = np.round(ECG * 200).astype(int)
OF_EIGHT = STEPS[[LEADS.index(lead) for lead in EIGHT]]
XML = {
    "muse": lambda: muse(OF_EIGHT, per_bit=5),
    "aecg": lambda: aecg(STEPS),
    "mortara": lambda: mortara(STEPS),
    "cardiosoft": lambda: cardiosoft(STEPS),
    "philips": lambda: philips(STEPS),
}
ENTITIES = "declares XML entities or types"
BAD = "is not valid|has more than|is larger than"


def laughs(content):
    """Return an XML with entities that expand to a thousand million characters, in place of its first number."""
    levels = "".join(f"<!ENTITY e{i} '{f'&e{i - 1};' * 10 if i else 'ha'}'>" for i in range(10))
    text = content.decode()
    root = text.index("<", text.index("?>") + 2)
    root = text.index("<", root + 1) if text[root + 1] == "!" else root
    return f"<?xml version='1.0'?><!DOCTYPE x [{levels}]>{text[root:].replace('500', '&e9;', 1)}".encode()


def external(content):
    return content.replace(b"?>", b"?><!DOCTYPE x [<!ENTITY e SYSTEM 'file:///etc/passwd'>]>", 1).replace(
        b"500", b"&e;", 1
    )


def growing_attributes(content):
    kind = b"?><!DOCTYPE x [<!ATTLIST a b CDATA '" + b"x" * 4000 + b"'>]>"
    return content.replace(b"?>", kind, 1).replace(b"</", b"<a/>" * 10**5 + b"</", 1)


def with_inside(content, inside):
    """Return an XML with more elements before the end of its root."""
    at = content.rindex(b"</")
    return content[:at] + inside + content[at:]


def in_last(content, mark, more):
    """Return an XML with more text after the last of its marks."""
    at = content.rindex(mark) + len(mark)
    return content[:at] + more + content[at:]


def zipped(content):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.xml", content)
    return file.getvalue()


ATTRIBUTES = b"<a " + b" ".join(b"a%d=''" % i for i in range(300_000)) + b"/>"
NAMESPACES = b"<a " + b" ".join(b"xmlns:a%d='%d'" % (i, i) for i in range(200_000)) + b"/>"
TOO_MANY = "has more than 100000 XML attributes"
LONG_TEXT = "has a text of more than 2097152 characters"
MORE_XML = {
    **{
        f"{kind}_of_a_billion_laughs_in_utf_16": (lambda make=make: laughs(make()).decode().encode("utf-16"), ENTITIES)
        for kind, make in XML.items()
    },
    **{
        f"{kind}_of_300000_attributes": (lambda make=make: with_inside(make(), ATTRIBUTES), TOO_MANY)
        for kind, make in XML.items()
    },
    **{
        f"{kind}_of_200000_namespaces": (lambda make=make: with_inside(make(), NAMESPACES), TOO_MANY)
        for kind, make in XML.items()
    },
    **{
        f"{kind}_of_a_text_of_7_mb": (lambda make=make: with_inside(make(), b"<a>" + b"1 " * 3_500_000 + b"</a>"), LONG_TEXT)
        for kind, make in XML.items()
    },
    "muse_of_a_name_of_7_mb": (lambda: with_inside(muse(OF_EIGHT), b"<" + b"a" * 3_500_000 + b"></" + b"a" * 3_500_000 + b">"), ""),
    "comments_that_never_end": (lambda: b"<!--ECG" * 2000, PASSED_OVER),
    "document_types_that_never_end": (lambda: b"<!DOCTYPE ecg [" * 600, PASSED_OVER),
    "philips_of_10_to_6_leads": (
        lambda: philips(STEPS).replace(b"leadlabels='", b"leadlabels='" + b"I " * 10**6),
        "in an order that is not known",
    ),
    "philips_of_two_million_plain_numbers": (lambda: philips_plain(b"1 " * 2_000_000), LONG_TEXT),
    **{f"{kind}_of_a_billion_laughs": (lambda make=make: laughs(make()), ENTITIES) for kind, make in XML.items()},
    **{f"{kind}_with_a_path": (lambda make=make: external(make()), ENTITIES) for kind, make in XML.items()},
    **{f"{kind}_cut_off": (lambda make=make: make()[:-2000], BAD) for kind, make in XML.items()},
    **{f"{kind}_of_20_mb": (lambda make=make: with_inside(make(), b" " * 20_000_000), BAD) for kind, make in XML.items()},
    **{
        f"{kind}_nested_100000_deep": (lambda make=make: with_inside(make(), b"<a>" * 10**5 + b"</a>" * 10**5), "nested more than 100 deep")
        for kind, make in XML.items()
    },
    "aecg_with_large_attributes": (lambda: growing_attributes(aecg(STEPS)), ENTITIES),
    "aecg_of_a_million_elements": (lambda: with_inside(aecg(STEPS), b"<a/>" * 10**6), "200000 XML elements"),
    "aecg_of_3000_leads": (
        lambda: aecg(np.zeros((3000, 1), int), [f"X{i}" for i in range(3000)]),
        "are missing|XML elements",
    ),
    "aecg_of_600000_digits": (lambda: aecg([[10] * 600_000] * 2, LEADS[:2]), "are missing"),
    "aecg_of_huge_numbers": (lambda: aecg(STEPS).replace(b"<digits>", b"<digits>1e999 " + b"9" * 400 + b" "), ""),
    "aecg_increment_zero": (lambda: aecg(STEPS, increment="0"), "increment"),
    "aecg_increment_negative": (lambda: aecg(STEPS, increment="-0.002"), "increment"),
    "aecg_increment_tiny": (lambda: aecg(STEPS, increment="1e-300"), "Hz|not valid"),
    "aecg_increment_nan": (lambda: aecg(STEPS, increment="nan"), "increment"),
    "aecg_scale_infinite": (lambda: aecg(STEPS, scale="1e999"), "pass --gain"),
    "aecg_scale_of_1e300": (lambda: aecg(STEPS, scale="1e300"), "samples of .* are missing|mV"),
    "muse_base64_of_4_mb_in_one_lead": (
        lambda: muse([OF_EIGHT[0]] * 7 + [np.zeros(2 * 10**6, int)], per_bit=5),
        LONG_TEXT,
    ),
    "muse_counts_lie": (lambda: muse(OF_EIGHT).replace(b"<LeadSampleCountTotal>", b"<LeadSampleCountTotal>9"), BAD),
    "muse_counts_negative": (lambda: muse(OF_EIGHT).replace(b"<LeadByteCountTotal>", b"<LeadByteCountTotal>-"), BAD),
    "muse_count_infinite": (lambda: muse(OF_EIGHT).replace(b"<LeadByteCountTotal>", b"<LeadByteCountTotal>1e999"), BAD),
    "muse_rate_of_10_to_300": (lambda: muse(OF_EIGHT, exponent=300), f"Hz|{BAD}"),
    "muse_exponent_of_10_to_9": (lambda: muse(OF_EIGHT, exponent=10**9), BAD),
    "muse_rate_negative": (lambda: muse(OF_EIGHT, base=-500), BAD),
    "muse_no_base64": (lambda: muse(OF_EIGHT).replace(b"<WaveFormData>", b"<WaveFormData>*"), BAD),
    "muse_scale_nan": (lambda: muse(OF_EIGHT, per_bit="nan"), "not a finite number"),
    "mortara_of_four_million_numbers": (lambda: in_last(mortara(STEPS), b"DATA='", b"1 " * 3_900_000), LONG_TEXT),
    "cardiosoft_of_four_million_numbers": (
        lambda: in_last(cardiosoft(STEPS, count=""), b"lead='V6'>", b"1," * 3_900_000),
        LONG_TEXT,
    ),
    "mortara_rate_infinite": (lambda: mortara(STEPS, rate="inf"), BAD),
    "mortara_rate_text": (lambda: mortara(STEPS, rate="fast"), BAD),
    "mortara_number_of_10000_digits": (lambda: mortara(STEPS).replace(b"DATA='", b"DATA='1 " + b"9" * 10_000 + b" "), BAD),
    "cardiosoft_no_numbers": (lambda: cardiosoft(STEPS).replace(b"0,", b"=1+1,"), "not numbers"),
    "cardiosoft_count_lies": (lambda: cardiosoft(STEPS, count=10**9), "states 1e[+]09 samples"),
    "cardiosoft_rate_zero": (lambda: cardiosoft(STEPS, rate="0"), "does not state its sampling rate"),
    "philips_bomb": (lambda: philips_data(xli_bomb()), "unpack to more than"),
    "philips_duration_of_10_to_12": (lambda: philips(STEPS).replace(b"durationperchannel='", b"durationperchannel='9999999"), BAD),
    "philips_duration_negative": (lambda: philips(STEPS).replace(b"durationperchannel='", b"durationperchannel='-"), BAD),
    "philips_version_unknown": (lambda: philips(STEPS, version="9.99"), "unsupported"),
    "philips_chunk_lies": (lambda: philips_data(struct.pack("<iHh", 2**31 - 1, 0, 0) + bytes(100)), BAD),
    "philips_chunk_negative": (lambda: philips_data(struct.pack("<iHh", -5, 0, 0) + bytes(100)), BAD),
    "philips_chunks_of_nothing": (lambda: philips_data(bytes(8) * 10**5), BAD),
    "philips_code_from_nowhere": (lambda: philips_data(struct.pack("<iHh", 10, 0, 0) + b"\x7f" * 10), BAD),
    "xml_of_another_dialect": (lambda: b"<examdescript><ecg/></examdescript>", PASSED_OVER),
}  # fmt: skip


def philips_plain(numbers):
    content = philips(STEPS, compressed=False).replace(b"Base64", b"Plain")
    return content[: content.index(b"'16'>") + 5] + numbers + content[content.index(b"</parsedwaveforms>") :]


def philips_data(data):
    content = philips(STEPS)
    begin = content.index(b"'16'>") + 5
    return content[:begin] + base64.b64encode(data) + content[content.index(b"</parsedwaveforms>") :]


def xli_bomb():
    """Return compressed leads whose codes each stand for a longer run of zeros: 500 MB from 1 MB."""
    codes = [0, *range(256, 1023), *[1022] * 700_000]
    bits = "".join(f"{code:010b}" for code in codes)
    packed = int(bits + "1" * (-len(bits) % 8), 2).to_bytes(-(-len(bits) // 8), "big")
    return struct.pack("<iHh", len(packed), 0, 0) + packed


SCP_BAD = "is not valid SCP-ECG|than SCP-ECG can hold|are missing|is larger than"
SCP = {
    "samples_of_a_lead_10_to_9": (lambda: scp(OF_EIGHT, lasts=[2**32 - 1] * 8, table="default"), SCP_BAD),
    "samples_more_than_there": (lambda: scp(OF_EIGHT, lasts=[9000] * 8, table="default"), SCP_BAD),
    "lead_ends_before_it_begins": (lambda: scp(OF_EIGHT, lasts=[0] * 8), SCP_BAD),
    "255_leads": (lambda: scp(OF_EIGHT).replace(b"\x08\x44", b"\xff\x44"), SCP_BAD),
    "table_without_codes": (lambda: own_table(struct.pack("<HH", 1, 0)), SCP_BAD),
    "table_of_65535_codes": (lambda: own_table(struct.pack("<HH", 1, 65535)), SCP_BAD),
    "65535_tables": (lambda: own_table(struct.pack("<H", 65535) + bytes(1000)), SCP_BAD),
    "table_that_loops": (lambda: own_table(struct.pack("<HHBBBhI", 1, 1, 1, 1, 0, 1, 0)), SCP_BAD),
    "table_that_leads_nowhere": (lambda: own_table(struct.pack("<HHBBBhI", 1, 1, 1, 1, 0, 999, 0)), SCP_BAD),
    "codes_of_no_bits": (lambda: own_table(struct.pack("<HHBBBhI", 1, 1, 0, 0, 1, 5, 0)), SCP_BAD),
    "codes_of_255_bits": (lambda: own_table(struct.pack("<HHBBBhI", 1, 1, 255, 255, 1, 5, 0)), SCP_BAD),
    "reference_beat_of_a_minute": (lambda: scp_file(long_beat()), SCP_BAD),
    "section_outside": (lambda: scp(OF_EIGHT)[:58] + b"\0\0\0\x7f" + scp(OF_EIGHT)[62:], SCP_BAD),
    "record_longer_than_file": (lambda: b"\0\0\xff\xff\xff\xff" + scp(OF_EIGHT)[6:], SCP_BAD),
    "record_of_nothing": (lambda: b"\0\0\0\0\0\0" + scp(OF_EIGHT)[6:], SCP_BAD),
    "interval_zero": (lambda: scp(OF_EIGHT, interval_us=0), SCP_BAD),
    "interval_of_65_ms": (lambda: scp(OF_EIGHT, interval_us=65535), "100 to 10000 Hz"),
    "cut_off": (lambda: scp(OF_EIGHT)[:500], SCP_BAD),
    "of_3_mb": (lambda: scp(OF_EIGHT) + bytes(3 * 2**20), "is larger than 2097152 bytes"),
    "header_alone": (lambda: scp(OF_EIGHT)[:40], SCP_BAD),
}  # fmt: skip


def own_table(table):
    bodies = {
        1: b"\xff\0\0",
        2: table,
        3: bytes([8, 0x44]) + b"".join(struct.pack("<IIB", 1, 5000, i) for i in range(1, 9)),
    }
    return scp_file({**bodies, 6: scp_data(OF_EIGHT, 2000, 5000)})


def long_beat():
    table = scp_table([(0, "0"), (1, "1")])
    lead = bytes([8, 0x44]) + b"".join(struct.pack("<IIB", 1, 5000, i) for i in range(1, 9))
    beat = scp_data(np.zeros((8, 10), int), 1, 5000, 0, [(0, "0")])
    return {1: b"\xff\0\0", 2: table, 3: lead, 4: struct.pack("<HHH", 65535, 1, 0), 5: beat, 6: beat}


MFER_BAD = "is not valid MFER|MFER definition|channels, more than|are missing|is larger than"
MFER = {
    "channels_10_to_7": (lambda: mfer(OF_EIGHT, more=tlv(0x05, (10**7).to_bytes(4, "little"))), MFER_BAD),
    "channels_none": (lambda: mfer(OF_EIGHT, more=tlv(0x05, b"\0\0")), MFER_BAD),
    "nested_900_deep": (lambda: mfer(OF_EIGHT, more=sets(900)), MFER_BAD),
    "nested_without_lengths": (lambda: mfer(OF_EIGHT, more=b"\x67\x80" * 10_000), MFER_BAD),
    "100000_definitions": (lambda: mfer(OF_EIGHT, more=tlv(0x16, b"x") * 10**5), MFER_BAD),
    "a_million_zeros": (lambda: mfer(OF_EIGHT, more=bytes(10**6)), MFER_BAD),
    "length_of_4_gb": (lambda: mfer(OF_EIGHT, more=b"\x16\x84\xff\xff\xff\xff"), MFER_BAD),
    "length_of_127_bytes": (lambda: mfer(OF_EIGHT, more=b"\x16\xff" + b"\xff" * 127), MFER_BAD),
    "waveform_without_length": (lambda: mfer(OF_EIGHT, more=b"\x1e\x80" + bytes(10)), MFER_BAD),
    "block_of_2_to_32": (lambda: mfer(OF_EIGHT).replace(b"\x04\x04\x88\x13\0\0", b"\x04\x04\xff\xff\xff\xff"), MFER_BAD),
    "block_of_nothing": (lambda: mfer(OF_EIGHT).replace(b"\x04\x04\x88\x13\0\0", b"\x04\x04\0\0\0\0"), MFER_BAD),
    "sequences_65535": (lambda: mfer(OF_EIGHT, sequences=65535), "left out"),
    "exponent_of_127": (lambda: mfer(OF_EIGHT, sensitivity=(0, 127, 5)), "samples of .* are missing|mV"),
    "interval_zero": (lambda: mfer(OF_EIGHT, interval=(1, 0, 0)), MFER_BAD),
    "interval_of_10_to_minus_128": (lambda: mfer(OF_EIGHT, interval=(1, -128, 1)), MFER_BAD),
    "channel_number_without_end": (lambda: mfer(OF_EIGHT)[:60] + b"\x3f" + b"\xff" * 10**5, MFER_BAD),
    "of_17_mb": (lambda: mfer(OF_EIGHT) + bytes(17 * 2**20), "is larger than 16777216 bytes"),
    "cut_off": (lambda: mfer(OF_EIGHT)[:400], MFER_BAD),
    "preamble_alone": (lambda: mfer(OF_EIGHT)[:34], MFER_BAD),
}  # fmt: skip


def sets(depth):
    content = b""
    for _ in range(depth):
        content = tlv(0x67, content)
    return content


ISHNE_BAD = "is not a valid ISHNE file|is cut off|are missing|begin at byte"
ISHNE = {
    "leads_32767": (lambda: ishne(STEPS)[:156] + b"\xff\x7f" + ishne(STEPS)[158:], ISHNE_BAD),
    "leads_negative": (lambda: ishne(STEPS)[:156] + b"\xff\xff" + ishne(STEPS)[158:], ISHNE_BAD),
    "comments_of_2_gb": (lambda: ishne(STEPS)[:10] + b"\xff\xff\xff\x7f" + ishne(STEPS)[14:], ISHNE_BAD),
    "comments_negative": (lambda: ishne(STEPS)[:10] + b"\xff\xff\xff\xff" + ishne(STEPS)[14:], ISHNE_BAD),
    "comments_longer_than_file": (lambda: ishne(STEPS)[:10] + b"\0\0\x0f\0" + ishne(STEPS)[14:], ISHNE_BAD),
    "samples_elsewhere": (lambda: ishne(STEPS, place=2**31 - 1), ISHNE_BAD),
    "rate_negative": (lambda: ishne(STEPS, rate=-500), "does not state its sampling rate"),
    "resolution_negative": (lambda: ishne(STEPS, nanovolts=-9), "pass --gain"),
    "claims_2_to_31_samples": (lambda: ishne(STEPS, promised=2**31 - 1), ""),
    "leads_unknown": (lambda: ishne(STEPS, ["?"] * 12), ISHNE_BAD),
    "magic_alone": (lambda: b"ISHNE1.0", ISHNE_BAD),
    "cut_in_the_header": (lambda: ishne(STEPS)[:300], ISHNE_BAD),
}


ZIPPED = {"muse_in_a_zip_bomb": (lambda: zipped(with_inside(muse(OF_EIGHT), b" " * 40_000_000)), "like a zip bomb")}
LINKS = {
    "link_to_a_device": (lambda file: file.symlink_to("/dev/zero"), "is not a regular file"),
    "link_to_itself": (lambda file: file.symlink_to(file.name), "symbolic links"),
    "pipe": (os.mkfifo, "is not a regular file"),
}


def _lazily(make, file):
    return lambda folder: (folder / file).write_bytes(make())


FILES = {"vendor": "a.xml", "scp": "a.scp", "mfer": "a.mwf", "ishne": "a.ecg"}
CASES = [
    *(
        Case(f"{group}_{name}", _lazily(make, file), why)
        for group, file, cases in (*zip(FILES, FILES.values(), (MORE_XML, SCP, MFER, ISHNE), strict=True), ("vendor", "a.zip", ZIPPED))
        for name, (make, why) in cases.items()
    ),
    *(
        Case(f"{group}_{name}", lambda folder, make=make, file=file: make(folder / file), why)
        for group, file in FILES.items()
        for name, (make, why) in LINKS.items()
    ),
]  # fmt: skip
