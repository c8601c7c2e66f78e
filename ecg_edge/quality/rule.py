"""What a rule of the quality gate is."""

from typing import NamedTuple


class Rule(NamedTuple):
    """One rule of the quality gate."""

    code: str
    """Stable name. Notes of this rule have it as their code."""
    limit: float
    """Value from which the rule holds. If `meaning` says "(below)", it holds below the value."""
    unit: str
    """Unit of the limit."""
    meaning: str
    """What is compared with the limit."""
    source: str
    """Where the limit comes from."""
    refuses_over: float | None = None
    """The rule refuses if it holds for more than this share of the recording. None: it never refuses."""
    warns_from_s: float | None = None
    """If the rule does not refuse, it warns if it holds for at least this long in all. None: it never warns."""
    message: str = ""
    """For people. Fields: limit, lead, leads, hz (mains frequency) and where (in seconds)."""
