"""What the prices of an outcome are held to: their parts, and the generators that set them."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from nashgrid.market.topics import TRADING
from nashgrid.runs.claims import claim
from nashgrid.runs.outcome import Tables
from nashgrid.runs.scenario import GeneratorEntry
from nashgrid.runs.tables import price_at_places
from nashgrid.runs.wires import Wires

# Of the highest price, at tolerances up to the default.
_SHARE, _USUAL_TOLERANCE = 1e-4, 1e-4
_AT_A_LIMIT = 1e-3


def price_claims(wires: Wires, tables: Tables, cases: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Parts found apart from a price sum to it; a generator inside its limits sets it.

    Where a generator could give a little more or a little less, the price of its bus is its
    marginal cost 2 a g + b, or it would.
    """
    claims = {}
    for case in cases:
        bound = _bound(wires, tables, case)
        parts = tables.price_parts[tables.price_parts["case"] == case]
        if len(parts):
            claims[f"{case}: price parts"] = claim(
                float(parts["remainder_per_kwh"].abs().max()),
                bound,
                "largest difference between a price and the sum of its parts [currency/kWh]",
            )
        if case == TRADING and wires.scenario.generators:
            claims[f"{case}: generators"] = claim(
                max(_distance(wires, tables, case, each) for each in wires.scenario.generators),
                bound,
                "largest difference between a price and the marginal cost of a generator inside "
                "its limits [currency/kWh]",
            )
    return claims


def _bound(wires: Wires, tables: Tables, case: str) -> float:
    """Grows with the tolerance beyond the default, and with the prices."""
    highest = max(
        float(np.abs(price_at_places(tables.prices, case, wires)).max()),
        float(np.abs(wires.tariff.retail_price_per_kwh).max()),
    )
    return _SHARE * highest * max(1.0, wires.scenario.negotiation.tolerance / _USUAL_TOLERANCE)


def _distance(wires: Wires, tables: Tables, case: str, entry: GeneratorEntry) -> float:
    """Largest |price - marginal cost| over the slots in which a generator is inside its limits."""
    rows = tables.schedules
    own = rows[(rows["case"] == case) & (rows["agent"] == entry.name)].sort_values("slot")
    output = own["generation_kw"].to_numpy(dtype=float)
    place = int(wires.place_of([entry.bus or 0])[0])
    price = price_at_places(tables.prices, case, wires)[:, place]
    marginal_cost = 2 * entry.quadratic_cost_per_kw2h * output + entry.linear_cost_per_kwh
    inside = _inside(output, entry, wires.scenario.horizon.slot_hours)
    return float(np.abs(price - marginal_cost)[inside].max(initial=0.0))


def _inside(output: np.ndarray, entry: GeneratorEntry, slot_hours: float) -> np.ndarray:
    """(T,) whether neither the range of the output nor the ramp binds."""
    margin = _AT_A_LIMIT * entry.maximum_kw
    inside = (output > entry.minimum_kw + margin) & (output < entry.maximum_kw - margin)
    if entry.ramp_kw_per_hour is not None:
        steep = np.abs(np.diff(output)) > entry.ramp_kw_per_hour * slot_hours - margin
        inside[:-1] &= ~steep
        inside[1:] &= ~steep
    return np.asarray(inside)
