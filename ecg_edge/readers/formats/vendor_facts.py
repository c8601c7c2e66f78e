"""What the library ecgdatakit rounds or passes over: exact rates, and what the file says against its leads."""

from collections.abc import Iterator
from typing import Any
from xml.etree import ElementTree as ET

from ecg_edge.errors import InvalidRecordingError, UnreadableError
from ecg_edge.readers.formats.vendor_limits import MFER, SCP
from ecg_edge.readers.xml_dialects import AECG, MORTARA, MUSE, PHILIPS

_LIMB_LEADS = ["I", "II", "III", "aVR", "aVL", "aVF"]
_MOST_SKEW_NS = 2e6
_OFF = {"FALSE", "NO", "0", ""}


def read_rates(record: Any, kind: str, tree: ET.Element | None) -> list[float | None]:  # noqa: ANN401
    """Return the sampling rate of each lead as the file states it, None if it states none. The library rounds it.

    Args:
        record: What the library has read.
        kind: Name of the format.
        tree: The elements of an XML.
    """
    return _RATES[kind](record, tree)


def find_faults(record: Any, kind: str, source: str, tree: ET.Element | None) -> dict[str, str]:  # noqa: ANN401
    """Return what the file says against each lead, by label.

    Args:
        record: What the library has read.
        kind: Name of the format.
        source: Name of the file in error messages.
        tree: The elements of an XML.

    Raises:
        UnreadableError: The file is one that the library reads wrongly, or it does not hold a rhythm.
        InvalidRecordingError: The leads were not recorded at the same time.
    """
    return _FAULTS[kind](record, source, tree) if kind in _FAULTS else {}


def _share(record: Any, rate: float | None) -> list[float | None]:  # noqa: ANN401
    """Return the rate of each lead: the exact one if the library has rounded it, otherwise that of the library."""
    rates = [float(lead.sampling_rate) for lead in record.leads]
    return [rate if rate and abs(rate - found) <= 0.5 else found for found in rates]


def _read_muse_rates(record: Any, tree: Any) -> list[float | None]:  # noqa: ANN401
    rhythm = next(_list_muse_rhythms(tree), tree)
    base, exponent = (_read_number(rhythm.findtext(name)) for name in ("SampleBase", "SampleExponent"))
    return _share(record, base and base * 10 ** (exponent or 0))


def _read_aecg_rates(record: Any, _tree: Any) -> list[float | None]:  # noqa: ANN401
    return _share(record, record.raw_metadata["rhythm_time"].get("sampling_rate_exact"))


def _read_mortara_rates(record: Any, tree: Any) -> list[float | None]:  # noqa: ANN401
    return [_read_number(channel.get("SAMPLE_FREQ")) for channel in tree.findall("CHANNEL")] or _share(record, None)


def _read_philips_rates(record: Any, tree: Any) -> list[float | None]:  # noqa: ANN401
    waveforms = next(tree.iter("parsedwaveforms"), None)
    rate = None if waveforms is None else _read_number(waveforms.get("samplespersecond"))
    return _share(record, rate or _read_number(tree.findtext(".//signalcharacteristics/samplingrate")))


def _read_scp_rates(record: Any, _tree: Any) -> list[float | None]:  # noqa: ANN401
    return _share(record, 1e6 / record.raw_metadata["rhythm_sample_interval_us"])


def _read_mfer_rates(record: Any, _tree: Any) -> list[float | None]:  # noqa: ANN401
    # The standard has a default of 1000 Hz, which nobody has stated about this recording.
    if record.raw_metadata.get("sampling_rate_stated") is False:
        return [None] * len(record.leads)
    return list(record.raw_metadata["sampling_rates"])


_RATES = {
    MUSE: _read_muse_rates,
    AECG: _read_aecg_rates,
    MORTARA: _read_mortara_rates,
    PHILIPS: _read_philips_rates,
    SCP: _read_scp_rates,
    MFER: _read_mfer_rates,
}


def _find_muse_faults(record: Any, source: str, _tree: Any) -> dict[str, str]:  # noqa: ANN401
    """Return the leads that were off, and refuse those that do not begin together."""
    for mark in ("LeadTimeOffset", "LeadOffsetFirstSample"):
        if len({lead.annotations.get(mark, "0") for lead in record.leads}) > 1:
            msg = f"{source}: its leads were not recorded at the same time ({mark})"
            raise InvalidRecordingError(msg)
    off = [lead.label for lead in record.leads if lead.annotations.get("LeadOff", "").upper() not in _OFF]
    return dict.fromkeys(off, "disconnected")


def _find_aecg_faults(_record: Any, source: str, tree: Any) -> dict[str, str]:  # noqa: ANN401
    """Refuse a series that is not a rhythm: the library takes every series that is not a beat for one."""
    series = tree.findall("component/series")
    codes = {(found.find("code").get("code") or "").upper() for found in series if found.find("code") is not None}
    if not codes & {"RHYTHM", ""} and codes:
        raise UnreadableError(source, f"does not hold a rhythm, only {', '.join(sorted(codes))[:80]}")
    return {}


def _find_philips_faults(record: Any, source: str, tree: Any) -> dict[str, str]:  # noqa: ANN401
    """Refuse what the library decodes wrongly: compressed leads in another order keep the differences of limb leads."""
    waveforms = list(tree.iter("parsedwaveforms"))
    if len(waveforms) != 1:
        raise UnreadableError(source, f"holds {len(waveforms)} rhythms, expected one")
    if record.recording.acquisition.signal.compression.upper() == "XLI" and (
        [lead.label for lead in record.leads[:6]] != _LIMB_LEADS
    ):
        raise UnreadableError(source, "has compressed leads in an order that is not known; export as DICOM")
    return {}


def _find_scp_faults(record: Any, source: str, _tree: Any) -> dict[str, str]:  # noqa: ANN401
    """Refuse bimodal compression, which the library does not undo, and leads that were recorded in groups."""
    if "bimodal" in record.recording.acquisition.signal.compression:
        raise UnreadableError(source, "has bimodal compression, which is not read; export as DICOM or uncompressed")
    together = record.raw_metadata.get("simultaneous_leads", 0)
    if 0 < together < len(record.leads):
        msg = f"{source}: only {together} of its {len(record.leads)} leads were recorded at the same time"
        raise InvalidRecordingError(msg)
    return {}


def _find_mfer_faults(record: Any, source: str, _tree: Any) -> dict[str, str]:  # noqa: ANN401
    """Refuse leads with a skew, and a file of nothing but computed beats."""
    skew = max(record.raw_metadata.get("sample_skew_ns", [0])) * len(record.leads)
    if skew > _MOST_SKEW_NS:
        msg = f"{source}: its leads were sampled up to {skew / 1e9:g} s apart, not at the same time"
        raise InvalidRecordingError(msg)
    if not record.leads:
        raise UnreadableError(source, "does not hold a rhythm, only computed beats")
    return {}


_FAULTS = {
    MUSE: _find_muse_faults,
    AECG: _find_aecg_faults,
    PHILIPS: _find_philips_faults,
    SCP: _find_scp_faults,
    MFER: _find_mfer_faults,
}


def _list_muse_rhythms(tree: ET.Element) -> Iterator[ET.Element]:
    for waveform in tree.findall("Waveform"):
        kinds = [
            " ".join("".join(child.itertext()).split()).lower()
            for child in waveform
            if child.tag.lower() == "waveformtype"
        ]
        if (kinds or [""])[0] in {"", "rhythm"}:
            yield waveform


def _read_number(text: str | None) -> float | None:
    try:
        return float((text or "").replace(",", "."))
    except ValueError:
        return None
