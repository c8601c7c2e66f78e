"""What a user of the export can mend, in one line; each rung of the ladder of checks has an error of its own."""


class ExportError(ValueError):
    """Base of the errors that the command line shows without a traceback."""


class DatasetError(ExportError):
    """The folder is not in the competition's layout, or its files disagree."""


class RunsError(ExportError):
    """The folder of runs lacks what an earlier command writes, or belongs to other records."""


class ExportCheckError(ExportError):
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
