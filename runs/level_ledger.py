"""From levels to what is settled: who is a member of what, what managers pass on, fees due."""

import numpy as np

from nashgrid.market.messages import Floats
from nashgrid.market.settlement import Payments, whole_micro, whole_wh
from nashgrid.runs.level_outcome import LevelOutcome
from nashgrid.runs.levels import Levels
from nashgrid.runs.markets.passing_on import Membership, PassedOn
from nashgrid.runs.markets.trades import Trades
from nashgrid.runs.scenario import manager_name


def membership(levels: Levels | None) -> Membership | None:
    """Of the agents of a scenario; None where communities have no managers."""
    return None if levels is None else Membership(levels.fees, levels.community)


def passed_on(
    found: LevelOutcome | None, trade_kw: Floats, place_price: Floats, slot_hours: float
) -> PassedOn | None:
    """What managers pass on; None where there are none.

    Parameters
    ----------
    trade_kw : (n, T) of all agents
    place_price : (P, T) [currency/kWh]
    """
    if found is None:
        return None
    levels, energy_wh = found.levels, whole_wh(trade_kw, slot_hours)
    return PassedOn(
        managers=tuple(manager_name(name) for name in levels.communities),
        pair_community=levels.pairs[:, 0],
        # A manager buys exactly what its members do: sums of whole numbers, exact in floats.
        taken_wh=levels.by_pair(energy_wh.astype(np.float64)).astype(np.int64),
        price_micro=whole_micro(place_price[levels.pairs[:, 1]]),
        between_kw=found.between_kw,
        rest_kw=found.residual_kw(trade_kw) - found.between_kw,
        between_wh=whole_wh(found.between_kw, slot_hours),
        premium_micro=whole_micro(found.premium_per_kwh),
    )


def fees_due(trades: Trades, has_trading: bool) -> list[Payments]:
    """The fees by level, all to the utility."""
    members, passed, hours = trades.membership, trades.passed_on, trades.terms.slot_hours
    if members is None:
        return []
    if not has_trading or passed is None:
        return members.due_alone(trades.baseline_kw, hours, trades.utility)
    first = len(trades.agents)
    return [
        *members.due_inside(trades.account_kw, hours, trades.utility),
        *passed.due_beyond(members.fees, hours, first, trades.utility),
    ]
