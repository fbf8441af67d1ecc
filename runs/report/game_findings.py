"""What a game costs the community against the optimum, in words."""

from collections.abc import Mapping
from typing import Any

from nashgrid.runs.report.words import measure, number


def game_finding(game: Mapping[str, Any], welfare: Mapping[str, Any], currency: str) -> str:
    """The price of anarchy, where the ratio means something; the potential and the natural map."""
    least, total = float(welfare["central_cost"]), float(welfare["total_cost"])
    ratio = game["price_of_anarchy"]
    anarchy = "" if ratio is None else f" (price of anarchy {number(float(ratio), 5)})"
    gap = abs(float(game["potential"]) - float(game["least_potential"]))
    difference = welfare["largest_price_difference_per_kwh"]
    return (
        "against what would be best for all.</b> Agents who know what their own power does to the "
        f"price hold back. Devices and supply cost {number(total, 4)} {currency}, where "
        f"{number(least, 4)} would do{anarchy}. The equilibrium is the only one: it minimises the "
        f"game's potential, and the negotiation is {measure(gap)} {currency} from the minimum that "
        "one problem with all data in one place finds, at prices that differ by at most "
        f"{measure(float(difference))} {currency}/kWh. No trade is further than "
        f"{measure(float(game['natural_map_kw']))} kW from its owner's answer to its own marginal "
        "cost (natural map)."
    )
