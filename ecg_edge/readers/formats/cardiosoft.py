"""Read the rhythm of a GE CardioSoft XML: numbers with commas, in steps of the stated resolution."""

from math import isfinite, nan
from xml.etree import ElementTree as ET

import numpy as np
from numpy.typing import NDArray

from ecg_edge.errors import UnreadableError
from ecg_edge.readers.formats.vendor_signal import VendorLead

_UNITS = {"uvperlsb": "uV", "mvperlsb": "mV"}


def read_strip(tree: ET.Element, source: str) -> list[VendorLead]:
    """Return the leads of the only strip of a file. Median beats are elements of another name.

    Raises:
        UnreadableError: The file has no strip, or several of them, or its samples are not numbers.
    """
    strips = [strip for strip in tree.iter("StripData") if strip.find("WaveformData") is not None]
    if len(strips) != 1:
        raise UnreadableError(source, f"holds {len(strips)} strips of a rhythm, expected one")
    (strip,) = strips
    rate, rate_unit = _read_quantity(strip, "SampleRate")
    if rate_unit.casefold() not in {"", "hz"}:
        raise UnreadableError(source, f"states its sampling rate in {rate_unit[:40]!r}, expected Hz")
    step, step_unit = _read_quantity(strip, "Resolution")
    units = _UNITS.get(step_unit.casefold(), step_unit or None)
    length, _ = _read_quantity(strip, "ChannelSampleCountTotal")
    leads = []
    for waveform in strip.findall("WaveformData"):
        name = waveform.get("lead", "")
        samples = _read_samples(waveform, name, source)
        if length and len(samples) != length:
            raise UnreadableError(source, f"states {length:g} samples of {name}, but has {len(samples)}")
        leads.append(VendorLead(name, samples, step, 0.0, units, rate))
    return leads


def _read_quantity(strip: ET.Element, name: str) -> tuple[float | None, str]:
    """Return the number of an element, None if it is missing or not finite, and its unit."""
    element = strip.find(name)
    if element is None:
        return None, ""
    try:
        number = float(element.text or "")
    except ValueError:
        number = nan
    return number if isfinite(number) else None, element.get("units", "")


def _read_samples(waveform: ET.Element, name: str, source: str) -> NDArray[np.float64]:
    try:
        return np.array((waveform.text or "").strip(" ,;\r\n\t").replace(",", " ").split(), np.float64)
    except ValueError as error:
        raise UnreadableError(source, f"has samples of the lead {name} that are not numbers") from error
