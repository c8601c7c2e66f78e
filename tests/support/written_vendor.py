"""Writes the XML of electrocardiographs, by the definitions of the formats. Steps are integers, shape (leads, samples)."""

import base64

import numpy as np

LEADS = ("I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6")
EIGHT = ("I", "II", "V1", "V2", "V3", "V4", "V5", "V6")


def encoded(steps, dtype="<i2"):
    return base64.b64encode(np.ascontiguousarray(steps, dtype)).decode()


def muse(steps, leads=EIGHT, *, base=500, exponent=0, per_bit=4.88, units="MICROVOLTS", extra="", rhythm="Rhythm"):
    """Return a MUSE file with a rhythm and, before it, median beats of zeros."""
    return (
        "<?xml version='1.0' encoding='ISO-8859-1'?>\n<!DOCTYPE RestingECG SYSTEM 'restecg.dtd'>\n<RestingECG>"
        + _muse_waveform("Median", np.zeros((len(leads), 600), int), leads, base, exponent, per_bit, units, "")
        + _muse_waveform(rhythm, steps, leads, base, exponent, per_bit, units, extra)
        + "</RestingECG>"
    ).encode()


def _muse_waveform(kind, steps, leads, base, exponent, per_bit, units, extra):
    rows = "".join(
        f"<LeadData><LeadByteCountTotal>{2 * len(row)}</LeadByteCountTotal><LeadSampleCountTotal>{len(row)}"
        f"</LeadSampleCountTotal><LeadAmplitudeUnitsPerBit>{per_bit}</LeadAmplitudeUnitsPerBit>"
        f"<LeadAmplitudeUnits>{units}</LeadAmplitudeUnits><LeadID>{lead}</LeadID>{extra.replace('LEAD', lead)}"
        f"<WaveFormData>{encoded(row)}</WaveFormData></LeadData>"
        for row, lead in zip(steps, leads, strict=True)
    )
    return (
        f"<Waveform><WaveformType>{kind}</WaveformType><SampleBase>{base}</SampleBase>"
        f"<SampleExponent>{exponent}</SampleExponent>{rows}</Waveform>"
    )


def aecg(steps, leads=LEADS, *, increment="0.002", unit="s", scale="5", units="uV", code="RHYTHM", sets=1, origin="0"):
    """Return an HL7 annotated ECG with a rhythm and derived beats of zeros."""
    beats = _aecg_set(np.zeros((len(leads), 600), int), leads, increment, unit, scale, units, origin)
    return (
        "<?xml version='1.0' encoding='utf-8'?><AnnotatedECG xmlns='urn:hl7-org:v3' "
        "xmlns:xsi='http://www.w3.org/2001/XMLSchema-instance'><component><series>"
        f"<code code='{code}'/>"
        + _aecg_set(steps, leads, increment, unit, scale, units, origin)
        * sets
        + f"<derivation><derivedSeries><code code='REPRESENTATIVE_BEAT'/>{beats}</derivedSeries></derivation>"
        "</series></component></AnnotatedECG>"
    ).encode()


def _aecg_set(steps, leads, increment, unit, scale, units, origin):
    time = (
        "<component><sequence><code code='TIME_RELATIVE'/><value xsi:type='GLIST_PQ'><head value='0' unit='s'/>"
        f"<increment value='{increment}' unit='{unit}'/></value></sequence></component>"
    )
    rows = "".join(
        f"<component><sequence><code code='MDC_ECG_LEAD_{lead}'/><value xsi:type='SLIST_PQ'>"
        f"<origin value='{origin}' unit='uV'/><scale value='{scale}' unit='{units}'/>"
        f"<digits>{' '.join(map(str, row))}</digits></value></sequence></component>"
        for row, lead in zip(steps, leads, strict=True)
    )
    return f"<component><sequenceSet>{time}{rows}</sequenceSet></component>"


def mortara(steps, leads=LEADS, *, rate="500", per_mv="200"):
    """Return a Mortara ELI file with channels and, before them, a typical cycle of zeros."""
    beats = "".join(f"<TYPICAL_CYCLE_CHANNEL NAME='{lead}' DATA='{encoded(np.zeros(600, int))}'/>" for lead in leads)
    rows = "".join(
        f"<CHANNEL BITS='16' FORMAT='SIGNED' UNITS_PER_MV='{per_mv}' DURATION='{len(row)}' SAMPLE_FREQ='{rate}' "
        f"NAME='{lead}' ENCODING='BASE64' DATA='{encoded(row)}'/>"
        for row, lead in zip(steps, leads, strict=True)
    )
    return (
        "<?xml version='1.0' encoding='UTF-8'?><ECG ACQUISITION_TIME='20200101120000'><TYPICAL_CYCLE BITS='16' "
        f"FORMAT='SIGNED' UNITS_PER_MV='{per_mv}' SAMPLE_FREQ='{rate}' ENCODING='BASE64'>{beats}</TYPICAL_CYCLE>"
        f"{rows}</ECG>"
    ).encode()


def cardiosoft(steps, leads=LEADS, *, rate="500", hz="Hz", resolution="5", units="uVperLsb", strips=1, count=None):
    """Return a CardioSoft file with a strip and, before it, median samples of zeros."""
    median = "".join(f"<WaveformData lead='{lead}'>{','.join(['0'] * 600)}</WaveformData>" for lead in leads)
    rows = "".join(
        f"<WaveformData lead='{lead}'>\n\t{','.join(map(str, row))}\n</WaveformData>"
        for row, lead in zip(steps, leads, strict=True)
    )
    strip = (
        f"<StripData><SampleRate units='{hz}'>{rate}</SampleRate><ChannelSampleCountTotal>"
        f"{len(steps[0]) if count is None else count}</ChannelSampleCountTotal>"
        f"<Resolution units='{units}'>{resolution}</Resolution>{rows}</StripData>"
    )
    return (
        "<?xml version='1.0' encoding='ISO-8859-1'?><CardiologyXML><ObservationType>RestECG</ObservationType>"
        f"<RestingECGMeasurements><MedianSamples>{median}</MedianSamples></RestingECGMeasurements>{strip * strips}"
        "</CardiologyXML>"
    ).encode()


def philips(steps, leads=LEADS, *, compressed=True, version="1.04", rate="500", resolution="5", waveforms=1):
    """Return a Philips Sierra file, compressed or not."""
    data = xli(steps, leads) if compressed else np.ascontiguousarray(steps, "<i2").tobytes()
    rhythm = (
        f"<parsedwaveforms dataencoding='Base64' compression='{'XLI' if compressed else 'Uncompressed'}' "
        f"numberofleads='{len(leads)}' leadlabels='{' '.join(leads)}' "
        f"durationperchannel='{len(steps[0]) * 1000 / float(rate)}' samplespersecond='{rate}' "
        f"resolution='{resolution}' signaloffset='0' signalsigned='True' bitspersample='16'>"
        f"{base64.b64encode(data).decode()}</parsedwaveforms>"
    )
    return (
        "<?xml version='1.0' encoding='UTF-8'?><restingecgdata xmlns='http://www3.medical.philips.com'><documentinfo>"
        f"<documenttype>PhilipsECG</documenttype><documentversion>{version}</documentversion></documentinfo>"
        f"<dataacquisition/><waveforms>{rhythm * waveforms}</waveforms></restingecgdata>"
    ).encode()


def xli(steps, leads=LEADS):
    """Compress leads: limb leads as differences from what I and II say, second differences, then Lempel-Ziv-Welch."""
    rows = [np.asarray(row, int) for row in steps]
    if tuple(leads[:6]) == LEADS[:6]:
        first, second, third, *augmented = rows[:6]
        rows[2] = second - first - third
        rows[3] = -augmented[0] - (first + second) // 2
        rows[4] = (first - third) // 2 - augmented[1]
        rows[5] = (second + third) // 2 - augmented[2]
    return b"".join(_xli_chunk(row) for row in rows)


def _xli_chunk(row):
    bends = 2 * row[1:-1] - row[:-2] - row[2:]
    words = np.concatenate([row[:2], bends[1:] + 64, [64]]).astype(">i2").view(np.uint8).reshape(-1, 2)
    packed = lzw(words[:, 0].tobytes() + words[:, 1].tobytes())
    return len(packed).to_bytes(4, "little") + b"\1\0" + int(bends[0]).to_bytes(2, "little", signed=True) + packed


def lzw(content):
    """Compress bytes to codes of 10 bits."""
    table, codes, held = {bytes([byte]): byte for byte in range(256)}, [], b""
    for byte in content:
        longer = held + bytes([byte])
        if longer not in table:
            codes.append(table[held])
            if len(table) < 1023:
                table[longer] = len(table)
            longer = bytes([byte])
        held = longer
    bits = "".join(f"{code:010b}" for code in [*codes, table[held]])
    return int(bits.ljust(-(-len(bits) // 8) * 8, "1"), 2).to_bytes(-(-len(bits) // 8), "big")
