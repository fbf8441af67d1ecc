"""Who trades with whom on a radial feeder, when everybody takes the nearest partner."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from nashgrid.grid.feeder import Feeder

_NOTHING_KW = 1e-3


@dataclass(frozen=True)
class PairTrade:
    """Power that one bus sells to another."""

    seller: int
    buyer: int
    power_kw: float


def nearest_partners(feeder: Feeder, buses: ArrayLike, demand_kw: ArrayLike) -> list[PairTrade]:
    """Pair what is sold with what is bought, behind every line first; the root takes the rest.

    No line then carries trades in both directions. So these trades pay least, whatever the tolls on
    the lines, and pay the difference of the buses' prices where the prices are those of the tolls.

    Parameters
    ----------
    buses : (B,) labels
    demand_kw : (B,)
        What is taken at each bus; negative where it is delivered.
    """
    power = dict(zip(np.asarray(buses).tolist(), np.asarray(demand_kw).tolist(), strict=True))
    unpaired: dict[int, list[tuple[int, float]]] = {
        bus: [(bus, power[bus])] if abs(power.get(bus, 0.0)) > _NOTHING_KW else []
        for bus in feeder.buses.tolist()
    }
    trades: list[PairTrade] = []
    ends = list(zip(feeder.from_bus.tolist(), feeder.to_bus.tolist(), strict=True))
    for near, far in reversed(ends):  # lines come after the line that feeds them
        unpaired[near] = _pair(unpaired[near] + unpaired.pop(far), trades)
    for bus, kw in unpaired[feeder.root_bus]:
        ends_of_trade = (feeder.root_bus, bus) if kw > 0 else (bus, feeder.root_bus)
        trades.append(PairTrade(*ends_of_trade, abs(kw)))
    return trades


def _pair(waiting: list[tuple[int, float]], trades: list[PairTrade]) -> list[tuple[int, float]]:
    """Let buyers and sellers who meet at a bus trade; what is left is of one kind."""
    buyers = [one for one in waiting if one[1] > 0]
    sellers = [one for one in waiting if one[1] < 0]
    while buyers and sellers:
        (buyer, wanted), (seller, offered) = buyers.pop(), sellers.pop()
        power = min(wanted, -offered)
        trades.append(PairTrade(seller, buyer, power))
        if wanted - power > _NOTHING_KW:
            buyers.append((buyer, wanted - power))
        if -offered - power > _NOTHING_KW:
            sellers.append((seller, offered + power))
    return buyers or sellers
