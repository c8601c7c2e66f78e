"""Choose the rhythm among the multiplex groups of a DICOM file; groups that were recorded together are one rhythm."""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from ecg_edge.errors import InvalidRecordingError, UnreadableError
from ecg_edge.findings import Note
from ecg_edge.readers.declared import Declared
from ecg_edge.recording.leads import canonical_lead, find_arrangement

MOST_APART_S = 0.002
"""Leads that were sampled further apart, in seconds, were not recorded at the same time."""
# Without stated times, shorter groups may be the parts of a printed page, one after the other.
_SHORT_S = 8.0
_OF_SCHEMES = {
    "MDC": ("2:", {61: "III", 62: "aVR", 63: "aVL", 64: "aVF"}),
    "SCPECG": ("5.6.3-9-", {61: "III", 62: "aVR", 63: "aVL", 64: "aVF"}),
}
_FIRST_LEADS = ("I", "II", "V1", "V2", "V3", "V4", "V5", "V6")
_COMPUTED = Note("computed_rhythm", "the file says that its rhythm is computed (DERIVED), not as it was recorded")
_UNTIMED = Note(
    "untimed_groups", "the leads lie in several groups, and the file does not state that these began at the same time"
)


class Rhythm(NamedTuple):
    """One or more multiplex groups that are one recording."""

    groups: tuple[Any, ...]
    names: tuple[str, ...]
    """Name of each channel of all groups; blank for a lead that an earlier group has."""
    notes: tuple[Note, ...]

    @property
    def definitions(self) -> list[tuple[int, int, Any]]:
        """Group, column in this group, and definition of each channel."""
        return [
            (number, column, definition)
            for number, group in enumerate(self.groups)
            for column, definition in enumerate(group.ChannelDefinitionSequence)
        ]

    @property
    def rate(self) -> float:
        """Samples per second; 0 if it is not stated."""
        return float(self.groups[0].get("SamplingFrequency") or 0)


def choose_rhythm(groups: Sequence[Any], source: str, declared: Declared) -> Rhythm:
    """Return the rhythm with all leads: a recorded one before a computed one, a labelled one, and the longest.

    Raises:
        UnreadableError: There are only median beats or other computed waveforms.
        InvalidRecordingError: The leads lie in groups that were not recorded together.
    """
    usable = [group for group in groups if _is_rhythm(group)]
    if not usable:
        raise UnreadableError(source, "does not hold a rhythm, only median beats or other computed waveforms")
    found = [_join([group]) for group in usable] + [_join(together) for together in _list_together(usable)]
    whole = [rhythm for rhythm in found if _has_all_leads(rhythm, source, declared)]
    # Of equal ones max returns the first, and a single group stands before several.
    best = max(whole or found, key=_rank)
    if not whole and _has_all_leads(_join(usable), source, declared):
        what = _describe(usable)
        msg = f"{source}: its leads were not recorded at the same time: {what}; export one rhythm of 12 leads"
        raise InvalidRecordingError(msg)
    if len(best.groups) > 1 and not all(map(_is_timed, best.groups)):
        if _get_length_s(best.groups[0]) < _SHORT_S:
            why = f"{_describe(best.groups)}, and not all of them state a time offset"
            msg = f"{source}: does not state that its leads were recorded at the same time: {why}"
            raise InvalidRecordingError(msg)
        best = best._replace(notes=(*best.notes, _UNTIMED))
    return best


def _is_rhythm(group: Any) -> bool:  # noqa: ANN401 - pydicom makes attributes as it reads
    """Return whether a multiplex group is a rhythm: recorded, or at least labelled as one."""
    label = _read_label(group)
    if "MEDIAN" in label or "AVERAGE" in label:
        return False
    return "RHYTHM" in label or not _is_derived(group)


def _is_derived(group: Any) -> bool:  # noqa: ANN401
    return str(group.get("WaveformOriginality") or "") == "DERIVED"


def _is_timed(group: Any) -> bool:  # noqa: ANN401
    return group.get("MultiplexGroupTimeOffset") is not None


def _rank(rhythm: Rhythm) -> tuple[bool, bool, float]:
    first = rhythm.groups[0]
    return not any(map(_is_derived, rhythm.groups)), "RHYTHM" in _read_label(first), _get_length_s(first)


def _list_together(groups: Sequence[Any]) -> Iterator[list[Any]]:
    """Yield the groups of one rate, length and time that are several."""
    left = list(groups)
    while left:
        first, *left = left
        together = [first, *(other for other in left if _are_together(first, other))]
        taken = {id(group) for group in together}
        left = [group for group in left if id(group) not in taken]
        if len(together) > 1:
            yield together


def _are_together(first: Any, second: Any) -> bool:  # noqa: ANN401
    if first.NumberOfWaveformSamples != second.NumberOfWaveformSamples:
        return False
    same_rate = float(first.get("SamplingFrequency") or 0) == float(second.get("SamplingFrequency") or 0)
    return same_rate and abs(_get_start_s(first) - _get_start_s(second)) <= MOST_APART_S


def _join(groups: Sequence[Any]) -> Rhythm:
    names: list[str] = []
    before: set[str | None] = set()
    for group in groups:
        found = [_read_lead(definition) for definition in group.ChannelDefinitionSequence]
        leads = [canonical_lead(name) for name in found]
        names += ["" if lead in before else name for name, lead in zip(found, leads, strict=True)]
        before.update(set(leads) - {None})
    return Rhythm(tuple(groups), tuple(names), (_COMPUTED,) if any(map(_is_derived, groups)) else ())


def _has_all_leads(rhythm: Rhythm, source: str, declared: Declared) -> bool:
    try:
        find_arrangement(declared.leads_of(source, rhythm.names))
    except InvalidRecordingError:
        return False
    return True


def _describe(groups: Sequence[Any]) -> str:
    shown = ", ".join(
        f"{_get_length_s(group):g} s" + (f" from {_get_start_s(group):g} s" if _is_timed(group) else "")
        for group in groups[:6]
    )
    return f"{len(groups)} groups of {shown}{', ...' * (len(groups) > 6)}"


def _get_length_s(group: Any) -> float:  # noqa: ANN401
    return float(group.NumberOfWaveformSamples) / float(group.get("SamplingFrequency") or 1)


def _get_start_s(group: Any) -> float:  # noqa: ANN401
    return float(group.get("MultiplexGroupTimeOffset") or 0) / 1000


def _read_label(group: Any) -> str:  # noqa: ANN401
    return str(group.get("MultiplexGroupLabel") or "").upper()


def _read_lead(definition: Any) -> str:  # noqa: ANN401
    """Return the name of a channel, from its code if that is known, otherwise from the code meaning or the label."""
    source = definition.ChannelSourceSequence[0] if definition.get("ChannelSourceSequence") else {}
    code, scheme = str(source.get("CodeValue") or ""), str(source.get("CodingSchemeDesignator") or "")
    prefix, others = _OF_SCHEMES.get(scheme.split("-", maxsplit=1)[0].upper(), ("", {}))
    if prefix and code.startswith(prefix) and code[len(prefix) :].isdecimal():
        number = int(code[len(prefix) :])
        return _FIRST_LEADS[number - 1] if 1 <= number <= len(_FIRST_LEADS) else others.get(number, code)
    meaning = str(source.get("CodeMeaning") or definition.get("ChannelLabel") or code)
    return meaning.partition("(Einthoven)")[0].partition(",")[0].strip()
