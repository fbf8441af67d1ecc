"""Verification of whatever a folder holds, from its files alone."""

from pathlib import Path

from nashgrid.runs.charge_folder import holds_charges
from nashgrid.runs.charge_verification import verify_charges
from nashgrid.runs.run_verification import Verification, verify_run
from nashgrid.runs.tied.folder import is_tied
from nashgrid.runs.tied.verify import verify_tied

_KINDS = ((holds_charges, verify_charges), (is_tied, verify_tied))
"""Studies with a folder of their own: how it is known, and how it is verified."""


def verify(folder: str | Path) -> Verification:
    """Recompute the proof of a run from its files and compare every number.

    Parameters
    ----------
    folder : of a run, of two feeders with a tie, or of network charges

    Raises
    ------
    ValueError
        If a file is missing or unreadable.
    """
    place = Path(folder)
    for holds, check in _KINDS:
        if holds(place):
            return check(place)
    return verify_run(place)
