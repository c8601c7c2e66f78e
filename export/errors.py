"""What a user of the export can mend, in one line."""


class ExportError(ValueError):
    """Base of the errors that the command line shows without a traceback."""


class DatasetError(ExportError):
    """The folder is not in the competition's layout, or its files disagree."""


class RunsError(ExportError):
    """The folder of runs lacks what an earlier command writes, or belongs to other records."""


class ExportCheckError(ExportError):
    """A model that must not be written."""
