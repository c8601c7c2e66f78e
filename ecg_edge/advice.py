"""What messages advise the caller to state: in the words of the command line and Python, or in those of a form."""

from collections.abc import Mapping

GAIN_OF_COUNTS = "(for WFDB --gain, in a report --adc-gain; else divide by it)"
"""After "the gain of converter counts"."""
NAME_THE_LEADS = "Name its leads: leads=(...), --leads."
RAISE_THE_LIMIT = "; pass --max-duration (in Python max_duration_s=...) for longer ones"


def name_option(option: str) -> str:
    """Return how a message calls an option, without its dashes."""
    return f"--{option} (in Python {option.replace('-', '_')}=...)"


def advise_fields(message: str, fields: Mapping[str, str]) -> str:
    """Return a message that advises to fill in the fields of a form.

    Args:
        message: Of an error or a note.
        fields: What each option is called in the form; with "sampling-rate", "units", "leads" and "gain".
    """
    said = {
        GAIN_OF_COUNTS: f"({fields['gain']}, if the file is of WFDB; else divide by it)",
        NAME_THE_LEADS: f"Fill in {fields['leads']}.",
        RAISE_THE_LIMIT: "",
    }
    for option, field in fields.items():
        said[f"pass {name_option(option)}"] = f"fill in {field}"
        said[name_option(option)] = field
        # As in "such as --units uV".
        said[f"--{option}"] = field
    for advice, words in said.items():
        message = message.replace(advice, words)
    return message
