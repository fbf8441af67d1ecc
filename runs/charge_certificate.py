"""The certificate of network charges: what proves where rules and schedules came to rest."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from nashgrid.runs.charge_audit import ChargeAudit
from nashgrid.runs.charge_comparison import Charged
from nashgrid.runs.charge_terms import ChargeTerms
from nashgrid.runs.claims import claim
from nashgrid.runs.message_audit import found
from nashgrid.runs.roster import roster
from nashgrid.runs.wires import Wires

EPSILON_PER_TOLERANCE = 10.0
"""Schedules that move by no more than the tolerance may leave an agent so much to gain."""
UNPAIRED_KW = 1e-3
"""Powers of a place below this are not paired."""


def charge_certificate(
    outcomes: Sequence[Charged],
    audits: Mapping[str, ChargeAudit],
    wires: Wires,
    terms: ChargeTerms,
) -> dict[str, Any]:
    """Claims with value, bound and verdict, `certified` the verdict of all; and the findings.

    Parameters
    ----------
    audits : by rule
    """
    claims: dict[str, dict[str, Any]] = {}
    for one in outcomes:
        claims |= _claims(one, audits[one.rule], wires, terms)
    heard = found(
        [told for audit in audits.values() for told in audit.to_operator],
        [told for audit in audits.values() for told in audit.to_prosumers],
        wires,
        roster(wires.scenario, None),
    )
    claims |= heard.claims(wires.counterparty)
    return {
        "deviation": "price-taking",
        "claims": claims,
        "certified": all(one["holds"] for one in claims.values()),
        "message_audit": heard.finding(),
    }


def _claims(
    one: Charged, audit: ChargeAudit, wires: Wires, terms: ChargeTerms
) -> dict[str, dict[str, Any]]:
    hours = wires.scenario.horizon.slot_hours
    paid = hours * float((one.trades["power_kw"] * one.trades["charge_per_kwh"]).sum())
    left_out = hours * UNPAIRED_KW * float(np.abs(one.price_per_kwh).sum())
    return {
        f"{one.rule}: at rest": claim(
            float(not one.stable),
            0.0,
            f"1 unless schedules and charges stay after {one.iterations} announcements",
        ),
        f"{one.rule}: best responses": claim(
            one.largest_epsilon,
            EPSILON_PER_TOLERANCE * terms.tolerance,
            "largest relative epsilon of an agent at the prices it pays",
        ),
        f"{one.rule}: own constraints": claim(
            one.largest_violation, 1e-6, "largest violation by an agent [kW, kWh]"
        ),
        f"{one.rule}: prices": claim(
            audit.off_course,
            1e-6,
            "largest difference of what was announced from what the rule makes of the sums heard, "
            "prices as a share of the mean retail price",
        ),
        f"{one.rule}: pairs": claim(
            abs(paid - one.revenue.revenue),
            left_out,
            f"difference of what pairs pay and what the {wires.counterparty} collects "
            f"[{wires.scenario.currency}]",
        ),
    }
