"""Warns of a found label whose findings are wrong about as often as right, by the figures of the models."""

from ecg_edge.findings import Note
from ecg_edge.model.operating_point import OperatingPoint, Share

RATHER_WRONG = 0.5
"""A label is uncertain if the low end of its positive predictive value is below this."""
_MEASURED = "positive_predictive_value"


def note_uncertain_infarction(infarction: OperatingPoint, label: str) -> Note | None:
    """Return the warning that a found infarction is uncertain; None if it is not, or if nothing was measured.

    Args:
        infarction: What decided on infarction.
        label: Its label.
    """
    share = infarction.share(label, _MEASURED) or infarction.compute_predictive_value(label)
    if share is None or share.low >= RATHER_WRONG:
        return None
    return Note("uncertain_infarction", _word("the infarction", share, infarction, label))


def note_uncertain_site(infarction: OperatingPoint, label: str, localization: OperatingPoint, site: str) -> Note | None:
    """Return the warning that a found site is uncertain; None if it is not, or if nothing was measured.

    A site is right if the infarction is right and the site too. The model of the sites states how often this is so,
    measured with both models one after the other. If it does not, the predictive values of both are multiplied, which
    is an estimate: sensitivity and specificity of the sites are those of records with infarction.

    Args:
        infarction: What decided on infarction.
        label: Its label.
        localization: What decided on the sites.
        site: The found site.
    """
    share = localization.share(site, _MEASURED) or _estimate(infarction, label, localization, site)
    if share is None or share.low >= RATHER_WRONG:
        return None
    return Note("uncertain_site", _word(site, share, infarction, label), site=site)


def _estimate(infarction: OperatingPoint, label: str, localization: OperatingPoint, site: str) -> Share | None:
    of_infarction = infarction.compute_predictive_value(label)
    of_site = localization.compute_predictive_value(site)
    if of_infarction is None or of_site is None:
        return None
    return Share(*(a * b for a, b in zip(of_infarction, of_site, strict=True)))


def _word(what: str, share: Share, infarction: OperatingPoint, label: str) -> str:
    n, positives = (infarction.count(label, part) for part in ("n", "positives"))
    value, low, high = (round(100 * part) for part in share)
    return (
        f"{what} is uncertain: at this operating point, about {value} in 100 such findings are right "
        f"({low} to {high}), to judge by the validation, where {positives} of {n} records had an infarction"
    )
