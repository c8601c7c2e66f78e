"""Why a model must not be written; each rung of the ladder of checks has an error of its own."""


class ExportCheckError(ValueError):
    """A model that must not be written."""


class NamesError(ExportCheckError):
    """Inputs, outputs or metadata are not named as the contract says."""


class AxesError(ExportCheckError):
    """An axis that must be free is fixed, or the other way round."""


class OperatorsError(ExportCheckError):
    """An operator, an opset, external data or the size is outside of what the contract allows."""


class ShapesError(ExportCheckError):
    """An answer has another shape than the contract says."""


class ValuesError(ExportCheckError):
    """An answer differs from the torch network's."""


class WindowExactnessError(ExportCheckError):
    """A window's answer depends on samples outside of it."""
