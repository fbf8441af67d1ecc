"""What the message audit found, in words: what no sum hides, and what was reported elsewhere."""

from collections.abc import Mapping
from typing import Any

from nashgrid.runs.report.words import listing, text
from nashgrid.runs.scenario import Scenario


def privacy_findings(audit: Mapping[str, Any], scenario: Scenario) -> list[str]:
    """Sentences for the list of findings; none where there is nothing to tell."""
    lines = []
    told = [text(str(sentence)) for sentence in audit["told_too_much"]]
    if told:
        lines.append(f"<b>Somebody was told too much:</b> {'; '.join(told)}.")
    merged = audit["reported_at_bus"]
    if merged:
        moved = listing([f"{bus} at {place}" for bus, place in merged.items()], most=40)
        lines.append(
            f"<b>Buses reported at another</b>, so that every sum is over two participants at "
            f"least: {moved}. The operator has one price for both, and does not see the lines "
            "between them."
        )
    alone = audit["alone_at_bus"]
    if alone and scenario.feeder is not None:
        names = listing([text(name) for name in alone.values()])
        lines.append(
            f"<b>Alone at their bus</b> are {names}: the sum that the operator hears there is "
            "their own power, as the scenario allows."
        )
    return lines
