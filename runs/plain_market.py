"""What only some rules know: communities with managers, and batteries for rent."""

from nashgrid.runs.scenario import Scenario


def require_plain(scenario: Scenario, who: str) -> None:
    """Refuse a scenario that asks for either.

    Parameters
    ----------
    who : does not know them, in words

    Raises
    ------
    ValueError
        With what it asks for, and what to leave out.
    """
    if scenario.levels is not None:
        raise ValueError(f"{who} knows no communities with managers; leave out [levels]")
    letting = [entry.name for entry in scenario.agents if entry.for_rent]
    if letting:
        raise ValueError(
            f"{who} knows no batteries for rent; leave out rents_to, which {letting[0]} has"
        )
