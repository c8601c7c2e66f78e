"""What can go wrong, in words a user can act on."""

from collections.abc import Sequence
from os import PathLike


class EcgEdgeError(Exception):
    """Base of every error that this package raises on purpose."""

    def __reduce__(self) -> tuple[object, ...]:
        # The children's constructors take facts, not the message: rebuild without calling them.
        return _rebuild, (type(self), self.args)


def _rebuild(kind: type[EcgEdgeError], args: tuple[object, ...]) -> EcgEdgeError:
    error = kind.__new__(kind, *args)
    error.args = args
    return error


class InvalidRecordingError(EcgEdgeError, ValueError):
    """The signal is not what the models were made for."""


class WrongShapeError(InvalidRecordingError):
    """The signal is not leads by samples."""

    def __init__(self, shape: tuple[int, ...], n_leads: int = 12) -> None:
        hint = " It looks transposed: pass signal.T." if len(shape) == 2 and shape[1] == n_leads else ""
        if len(shape) == 2 and n_leads == 12 and 8 <= shape[0] <= 32 and shape[0] != 12:
            hint = " Name its leads: leads=(...), --leads."
        super().__init__(f"expected a signal of shape ({n_leads}, samples), found {shape}.{hint}")


class MissingLeadsError(InvalidRecordingError):
    """Leads are missing that cannot be derived."""

    def __init__(self, missing: Sequence[str], found: Sequence[str]) -> None:
        super().__init__(
            f"the lead{'s' * (len(missing) > 1)} {', '.join(missing)} of I, II, V1 to V6 "
            f"{'are' if len(missing) > 1 else 'is'} missing; the channels are {_listed(found)}"
        )


class RepeatedLeadError(InvalidRecordingError):
    """Two channels are the same lead."""

    def __init__(self, lead: str, names: Sequence[str]) -> None:
        super().__init__(f"two channels are the lead {lead}: {_listed(names)}")


class UnitsError(InvalidRecordingError):
    """The unit is no unit of voltage."""

    def __init__(self, found: str, known: Sequence[str]) -> None:
        super().__init__(f"{_short(found)} is no unit of voltage, expected one of {', '.join(known)}")


class UndeclaredError(InvalidRecordingError):
    """Neither the file nor the caller says what must be known."""

    def __init__(self, source: str, what: str, option: str) -> None:
        super().__init__(f"{source}: declares no {what}; say it with --{option} ({option.replace('-', '_')}=...)")


class ContradictionError(InvalidRecordingError):
    """The file says one thing and the caller another."""

    def __init__(self, source: str, option: str, file_says: object, caller_says: object) -> None:
        super().__init__(
            f"{source}: the file declares {_short(file_says)}, --{option} ({option.replace('-', '_')}=...) "
            f"says {_short(caller_says)}"
        )


class WrongTypeError(InvalidRecordingError):
    """The signal does not hold real numbers."""

    def __init__(self, dtype: str) -> None:
        super().__init__(f"expected real numbers (millivolts), found the data type {dtype}")


class UncomputableError(InvalidRecordingError):
    """The amplitudes are so large that the model's answer is not a number."""

    def __init__(self) -> None:
        super().__init__(
            "the samples are larger than an ECG's can be, beyond what the models can compute; check the unit"
        )


class SamplingRateError(InvalidRecordingError):
    """The sampling rate is outside what can be resampled."""

    def __init__(self, found: float, lowest: float, highest: float) -> None:
        super().__init__(f"the recording has {found:g} Hz; from {lowest:g} to {highest:g} Hz can be analysed")


class MissingExtraError(EcgEdgeError, ImportError):
    """A library that is installed on request only is missing."""

    def __init__(self, purpose: str, extra: str) -> None:
        super().__init__(f'{purpose} needs a library more: pip install "ecg_edge[{extra}]"')


class UnreadableError(EcgEdgeError, OSError):
    """A file cannot be read as what it claims to be."""

    def __init__(self, source: str | PathLike[str], why: str) -> None:
        super().__init__(f"{source}: {_short(why, 300)}")


class ModelError(EcgEdgeError, ValueError):
    """A model file or its manifest is missing, changed or not of the contract."""

    def __init__(self, path: str | PathLike[str], why: str) -> None:
        super().__init__(f"{path}: {why}")


class InferenceError(EcgEdgeError, RuntimeError):
    """onnxruntime gives no answer, most often for want of memory."""

    def __init__(self, why: object) -> None:
        super().__init__(f"onnxruntime gives no answer: {_short(why, 300)}")


class NoMemoryError(EcgEdgeError, MemoryError):
    """A recording needs more memory than there is."""

    def __init__(self, why: object) -> None:
        super().__init__(f"there is not enough memory for it ({_short(why, 100) or 'no more is known'})")


class ProviderError(EcgEdgeError, RuntimeError):
    """The execution provider that was asked for is not the one that would run."""

    def __init__(self, wanted: str, found: list[str]) -> None:
        super().__init__(
            f"{wanted} was asked for but onnxruntime offers {', '.join(found)}; "
            "install the onnxruntime build for it and its drivers, or choose another provider"
        )


def _short(value: object, most: int = 60) -> str:
    # What a damaged file holds, or a library says of it, may be long and of several lines.
    text = " ".join(str(value).split())
    return text if len(text) <= most else f"{text[: most - 3]}..."


def _listed(names: Sequence[str]) -> str:
    shown = [_short(name) for name in names[:20]]
    return ", ".join(shown + ["..."] * (len(names) > len(shown)))
