"""What can go wrong, in words a user can act on."""

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
    """The signal is not 12 leads by n samples."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        hint = " It looks transposed: pass signal.T." if len(shape) == 2 and shape[1] == 12 else ""
        super().__init__(f"expected a signal of shape (12, samples), found {shape}.{hint}")


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
    """The recording has another sampling rate than the models."""

    def __init__(self, found: float, expected: float) -> None:
        super().__init__(f"the models take {expected:g} Hz, the recording has {found:g} Hz; resample it first")


class UnreadableError(EcgEdgeError, OSError):
    """A file cannot be read as what it claims to be."""

    def __init__(self, source: str | PathLike[str], why: str) -> None:
        super().__init__(f"{source}: {why}")


class ModelError(EcgEdgeError, ValueError):
    """A model file or its manifest is missing, changed or not of the contract."""

    def __init__(self, path: str | PathLike[str], why: str) -> None:
        super().__init__(f"{path}: {why}")


class ProviderError(EcgEdgeError, RuntimeError):
    """The execution provider that was asked for is not the one that would run."""

    def __init__(self, wanted: str, found: list[str]) -> None:
        super().__init__(
            f"{wanted} was asked for but onnxruntime offers {', '.join(found)}; "
            "install the onnxruntime build for it and its drivers, or choose another provider"
        )
