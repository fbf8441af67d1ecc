"""Whether a group of agents would do better by leaving, in words."""

from collections.abc import Mapping
from typing import Any

from nashgrid.runs.comparison_measures import MATTERS
from nashgrid.runs.report.words import listing, money, number, text

_MOST_NAMED = 40


def core_words(core: Mapping[str, Any], currency: str) -> str:
    """Whether a group would do better by leaving."""
    excess = float(core["largest_excess"])
    apart = (
        "settling with the utility together, by one of the two plans that its members know and "
        "without asking the wires"
    )
    if excess <= MATTERS:
        return f"<b>No group would gain by leaving</b> and {apart}: the savings lie in the core."
    if core["is_bound"]:
        return (
            f"<b>No group would gain more than {money(excess, currency)} by leaving</b> and "
            f"{apart}. This is a bound; that there is such a group is not said."
        )
    names = core["coalition"]
    shown = [text(name) for name in names[:_MOST_NAMED]]
    if len(names) > len(shown):
        shown.append(f"{number(len(names) - len(shown), 0)} more")
    return (
        f"<b>A group would gain {money(excess, currency)} by leaving</b> and {apart}: "
        f"{listing(shown, len(shown))}. The savings do not lie in the core."
    )
