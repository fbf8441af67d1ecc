"""Verification of whatever a folder holds, from its files alone."""

from pathlib import Path

from nashgrid.runs.charge_folder import holds_charges
from nashgrid.runs.charge_verification import verify_charges
from nashgrid.runs.run_verification import Verification, verify_run
from nashgrid.runs.tied.folder import is_tied
from nashgrid.runs.tied.verify import verify_tied


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
    if holds_charges(place):
        return verify_charges(place)
    return verify_tied(place) if is_tied(place) else verify_run(place)
