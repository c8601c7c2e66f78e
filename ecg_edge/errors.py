"""The errors of this package.

    EcgEdgeError
    ├── InvalidRecordingError (ValueError)      a recording that cannot be answered
    │   ├── WrongShapeError                     not leads by samples
    │   ├── WrongTypeError                      not real numbers
    │   ├── MissingLeadsError                   leads are missing that cannot be derived
    │   ├── RepeatedLeadError                   two channels are the same lead
    │   ├── UnitsError                          not a voltage unit
    │   ├── UndeclaredError                     rate or units are not stated anywhere
    │   ├── ContradictionError                  the file and the caller disagree
    │   ├── SamplingRateError                   outside the supported rates
    │   ├── StartBeyondEndError                 a picture would start after the end of the recording
    │   └── UncomputableError                   the model's answer is not finite
    ├── UnreadableError (OSError)               a file cannot be read
    ├── LabelsError (ValueError)                a table of labels cannot be used
    ├── MissingExtraError (ImportError)         an optional library is not installed
    ├── BrokenExtraError (ImportError)          an optional library is installed and cannot be imported
    ├── NoMemoryError (MemoryError)             a recording needs more memory than there is
    ├── ModelError (ValueError)                 a model file cannot be used
    ├── OperatingPointError (ValueError)        the models do not have the operating point
    ├── ProviderError (RuntimeError)            the requested execution provider does not run
    └── InferenceError (RuntimeError)           onnxruntime failed

Each message says what was found, what was expected and what to do.
"""

from collections.abc import Sequence
from os import PathLike

from ecg_edge.advice import NAME_THE_LEADS, name_option


class EcgEdgeError(Exception):
    """Base of all errors of this package."""

    def __reduce__(self) -> tuple[object, ...]:
        # The constructors of the subclasses take facts, not the message: rebuild without calling them.
        return _rebuild, (type(self), self.args)


def _rebuild(kind: type[EcgEdgeError], args: tuple[object, ...]) -> EcgEdgeError:
    error = kind.__new__(kind, *args)
    error.args = args
    return error


class InvalidRecordingError(EcgEdgeError, ValueError):
    """The recording is not one that the models can answer."""


class WrongShapeError(InvalidRecordingError):
    """The signal is not leads by samples."""

    def __init__(self, shape: tuple[int, ...], n_leads: int = 12) -> None:
        hint = " It looks transposed: pass signal.T." if len(shape) == 2 and shape[1] == n_leads else ""
        if len(shape) == 2 and n_leads == 12 and 8 <= shape[0] <= 32 and shape[0] != 12:
            hint = f" {NAME_THE_LEADS}"
        super().__init__(f"expected a signal of shape ({n_leads}, samples), found {shape}.{hint}")


class MissingLeadsError(InvalidRecordingError):
    """Leads are missing that cannot be derived."""

    def __init__(self, missing: Sequence[str], found: Sequence[str]) -> None:
        named = any(name.strip() for name in found)
        channels = f"the channels are {_join(found)}" if named else "the channels have no names"
        super().__init__(
            f"the lead{'s' * (len(missing) > 1)} {', '.join(missing)} of I, II, V1 to V6 "
            f"{'are' if len(missing) > 1 else 'is'} missing; {channels}; "
            f"if leads have other names, pass {name_option('leads')} with a name for each channel"
        )


class RepeatedLeadError(InvalidRecordingError):
    """Two channels are the same lead."""

    def __init__(self, lead: str, names: Sequence[str]) -> None:
        super().__init__(f"two channels are the lead {lead}: {_join(names)}")


class UnitsError(InvalidRecordingError):
    """The unit is not a voltage unit."""

    def __init__(self, found: str, known: Sequence[str], source: str = "") -> None:
        what = f"{_shorten(found)} is not a voltage unit, expected one of {', '.join(known)}"
        super().__init__(f"{source}: {what}; pass {name_option('units')} if you know better" if source else what)


class UndeclaredError(InvalidRecordingError):
    """Neither the file nor the caller states the sampling rate or the units."""

    def __init__(self, source: str, what: str, option: str, *others: tuple[str, str]) -> None:
        whats = " and ".join(f"its {missing}" for missing in (what, *(other for other, _ in others)))
        options = " and ".join(name_option(needed) for needed in (option, *(needed for _, needed in others)))
        super().__init__(f"{source}: does not state {whats}; pass {options}")


class ContradictionError(InvalidRecordingError):
    """The file and the caller state different things."""

    def __init__(self, source: str, option: str, file_says: object, caller_says: object) -> None:
        super().__init__(
            f"{source}: the file states {_shorten(file_says)}, but {name_option(option)} states {_shorten(caller_says)}"
        )


class WrongTypeError(InvalidRecordingError):
    """The signal does not hold real numbers."""

    def __init__(self, dtype: str) -> None:
        super().__init__(f"expected real numbers (millivolts), found the data type {dtype}")


class StartBeyondEndError(InvalidRecordingError):
    """A picture would start after the end of the recording."""

    def __init__(self, start_s: float, samples: int, sampling_rate: float) -> None:
        # A start that is rounded up would be after the last sample.
        last_s = (samples - 1) * 1000 // sampling_rate / 1000
        end_s = samples / sampling_rate
        super().__init__(
            f"the start is at {_format_s(start_s)} s, but the recording ends at {_format_s(end_s)} s; "
            f"the last possible start is {_format_s(last_s)} s"
        )


class UncomputableError(InvalidRecordingError):
    """The amplitudes are so large that the model's answer is not finite."""

    def __init__(self) -> None:
        super().__init__(
            "the samples are too large for an ECG, and the models cannot compute with them; check the units"
        )


class SamplingRateError(InvalidRecordingError):
    """The sampling rate is outside the range that can be resampled."""

    def __init__(self, found: float, lowest: float, highest: float) -> None:
        super().__init__(f"the recording has {found:g} Hz, expected {lowest:g} to {highest:g} Hz")


class MissingExtraError(EcgEdgeError, ImportError):
    """An optional library is not installed."""

    def __init__(self, purpose: str, extra: str) -> None:
        super().__init__(f'{purpose} needs an optional library: pip install "ecg_edge[{extra}]"')


class BrokenExtraError(EcgEdgeError, ImportError):
    """An optional library is installed and cannot be imported."""

    def __init__(self, library: str, extra: str, why: BaseException) -> None:
        super().__init__(
            f"the library {library} cannot be imported ({type(why).__name__}: {_shorten(why, 200)}); "
            f'install it again: pip install --force-reinstall "ecg_edge[{extra}]"'
        )


class UnreadableError(EcgEdgeError, OSError):
    """A file cannot be read as what it claims to be."""

    def __init__(self, source: str | PathLike[str], why: str) -> None:
        super().__init__(f"{source}: {_shorten(why, 300)}")


class LabelsError(EcgEdgeError, ValueError):
    """A table of labels cannot be used, or does not fit the records."""

    def __init__(self, path: str | PathLike[str], why: str) -> None:
        super().__init__(f"{path}: {_shorten(why, 400)}")


class ModelError(EcgEdgeError, ValueError):
    """A model file or its manifest is missing, changed, or does not keep the contract."""

    def __init__(self, path: str | PathLike[str], why: str) -> None:
        super().__init__(f"{path}: {why}")


class OperatingPointError(EcgEdgeError, ValueError):
    """The models do not have the requested operating point."""

    def __init__(self, source: str | PathLike[str], wanted: object, offered: Sequence[str]) -> None:
        super().__init__(
            f"{source}: the models do not have the operating point {_shorten(repr(wanted))}, only {_join(offered)}; "
            f"pass one of these as {name_option('operating-point')}, or choose other models"
        )


class InferenceError(EcgEdgeError, RuntimeError):
    """onnxruntime failed, most often because memory ran out."""

    def __init__(self, why: object) -> None:
        super().__init__(f"onnxruntime failed: {_shorten(why, 300)}")


class NoMemoryError(EcgEdgeError, MemoryError):
    """A recording needs more memory than there is."""

    def __init__(self, why: object) -> None:
        super().__init__(f"there is not enough memory ({_shorten(why, 100) or 'without details'})")


class ProviderError(EcgEdgeError, RuntimeError):
    """The requested execution provider does not run."""

    def __init__(self, wanted: str, found: list[str]) -> None:
        super().__init__(
            f"{wanted} was requested, but onnxruntime offers {', '.join(found)}; "
            "install the onnxruntime build for it and its drivers, or choose another provider"
        )


def _format_s(seconds: float) -> str:
    """Return a time in milliseconds without zeros at its end."""
    return f"{seconds:.3f}".rstrip("0").rstrip(".") if seconds < 1e9 else f"{seconds:g}"


def _shorten(value: object, most: int = 60) -> str:
    # A damaged file, or a library's message about it, may have long text of several lines.
    text = " ".join(str(value).split())
    return text if len(text) <= most else f"{text[: most - 3]}..."


def _join(names: Sequence[str]) -> str:
    shown = [_shorten(name) for name in names[:20]]
    return ", ".join(shown + ["..."] * (len(names) > len(shown)))
