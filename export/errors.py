"""Errors that a user of the export can mend. Each check of a model has its own error."""


class ExportError(ValueError):
    """Base of the errors that the command line shows as one line, without a traceback."""


class DatasetError(ExportError):
    """The folder is not in the competition's layout, or its files disagree."""


class RunsError(ExportError):
    """A file that an earlier command writes is missing from the folder of runs, or is of other records."""


class ExportCheckError(ExportError):
    """The model does not keep the contract, so it is not written."""


class NamesError(ExportCheckError):
    """The inputs, outputs or metadata do not have the names in the contract."""


class AxesError(ExportCheckError):
    """A free axis is fixed, or a fixed axis is free."""


class OperatorsError(ExportCheckError):
    """The contract does not allow an operator, the opset, external data or the size of the file."""


class ShapesError(ExportCheckError):
    """An answer does not have the shape in the contract."""


class ValuesError(ExportCheckError):
    """An answer differs from the answer of the torch network."""


class OffsetError(ExportCheckError):
    """A constant offset of the leads changes an answer."""


class WindowExactnessError(ExportCheckError):
    """The answer of a window depends on samples outside of the window."""
