"""The formats of electrocardiographs in words: what is stated, checked and refused."""

from ecg_edge.readers.description import FormatDescription

_LIBRARY = "ecgdatakit"
_LIMITS = "files over 8 MB or 200,000 elements"
_TOGETHER = "that the leads have one rate, one length and one first sample"

DESCRIPTIONS = (
    FormatDescription(
        name="GE MUSE XML",
        files="`.xml` (`<RestingECG>`)",
        stated="rate, lead names, the value of a step and its unit",
        checked=f"{_TOGETHER}; the checksum of each lead: a wrong one is a warning",
        refused=f"two rhythms, median beats alone, a lead that was off, leads with a time offset, {_LIMITS}",
        extra="vendor",
        library=_LIBRARY,
    ),
    FormatDescription(
        name="Philips Sierra XML",
        files="`.xml` (`<restingecgdata>`), versions 1.03 and 1.04",
        stated="rate, lead names, the value of a step",
        checked=f"{_TOGETHER}; the pulse of calibration at the end is left out",
        refused=(
            "compressed leads that do not begin with I, II, III, aVR, aVL, aVF; two rhythms; representative beats "
            f"alone; {_LIMITS}"
        ),
        extra="vendor",
        library=_LIBRARY,
    ),
    FormatDescription(
        name="HL7 aECG",
        files="`.xml` (`<AnnotatedECG>`)",
        stated="rate, lead names, the value of a step and its unit",
        checked=_TOGETHER,
        refused=f"two rhythm series or two sets of sequences in it, files without a rhythm, {_LIMITS}",
        extra="vendor",
        library=_LIBRARY,
    ),
    FormatDescription(
        name="Mortara XML",
        files="`.xml` (`<ECG>`)",
        stated="rate, lead names, the value of a step",
        checked=_TOGETHER,
        refused=f"leads of different rates or lengths, {_LIMITS}",
        extra="vendor",
        library=_LIBRARY,
    ),
    FormatDescription(
        name="GE CardioSoft XML",
        files="`.xml` (`<CardiologyXML>`)",
        stated="rate, lead names, the value of a step and its unit",
        checked=f"{_TOGETHER}; the stated number of samples",
        refused=f"two strips, median beats alone, {_LIMITS}",
    ),
    FormatDescription(
        name="SCP-ECG",
        files="`.scp`",
        stated="rate, lead names, the value of a step",
        checked=f"{_TOGETHER}; the checksums: a wrong one is a warning",
        refused=(
            "bimodal compression, long-term data of version 3, leads that were recorded in groups, files over 2 MB"
        ),
        extra="vendor",
        library=_LIBRARY,
    ),
    FormatDescription(
        name="MFER",
        files="`.mwf`, `.mfer`",
        stated="rate (the default of the standard, 1000 Hz, is not a statement), lead names, the value of a step",
        checked=_TOGETHER,
        refused=(
            "AHA and other compression, gaps, definitions that change between frames, skews over 2 ms, files over 16 MB"
        ),
        extra="vendor",
        library=_LIBRARY,
    ),
)
