"""At which level trades happen: inside a community, between communities, with who delivers."""

import numpy as np
import pandas as pd

from nashgrid.market.level_fees import LevelFees
from nashgrid.market.messages import Floats, Integers
from nashgrid.market.settlement import whole_wh
from nashgrid.market.topics import UTILITY_ONLY
from nashgrid.runs.outcome import Outcome
from nashgrid.runs.scenario import Scenario


def trades_by_level(outcome: Outcome, fees: LevelFees | None = None) -> pd.DataFrame:
    """The trades of every agent, split by level, in whole watt-hours.

    Buildings trade inside their community first (building to building), what is left over in a
    community with other communities (community to community, through their managers), and the
    rest with generators, community batteries and the utility. On each level everybody has the same
    share of what can be matched, in a slot and a community; odd watt-hours go to the largest
    remainders. What a building exchanges with its community (building to community) is
    `between_wh` + `rest_wh`. Alone with the utility all is rest. Who trades on the last level only
    pays no fee.

    Parameters
    ----------
    outcome : of a run
    fees : per kWh and level, by default those of the scenario; trades stay as they are

    Returns
    -------
    DataFrame
        case, agent, community, slot, energy_wh, inside_wh, between_wh, rest_wh, fee [currency].
        The levels add up to the energy; `inside_wh` sums to zero over a community in a slot,
        `between_wh` over all.

    Raises
    ------
    ValueError
        If the trades of the run are sums over buildings.
    """
    scenario = outcome.scenario
    if fees is None:
        fees = LevelFees() if scenario.levels is None else scenario.levels.fees
    slots, hours = scenario.horizon.slots, scenario.horizon.slot_hours
    _one_by_one(outcome)
    others = on_the_last_level(scenario)
    frames = []
    for case in outcome.trades["case"].unique():
        rows = outcome.trades[
            (outcome.trades["case"] == case) & (outcome.trades["community"] != "")
        ]
        frame = rows[["case", "agent", "community", "slot"]].reset_index(drop=True)
        energy = whole_wh(rows["trade_kw"].to_numpy(dtype=float), hours).reshape(-1, slots)
        one_per_agent = frame.iloc[::slots]
        member = ~one_per_agent["agent"].isin(others).to_numpy()
        trades = member & (case != UTILITY_ONLY)
        community = np.unique(one_per_agent["community"].astype(str), return_inverse=True)[1]
        inside, between = matched_wh(np.where(trades[:, None], energy, 0), community)
        rest = energy - inside - between
        paid = fees.inside * abs(inside) + fees.between * abs(between) + fees.rest * abs(rest)
        paid = np.where(member[:, None], paid, 0.0)
        frames.append(
            frame.assign(
                energy_wh=energy.ravel(),
                inside_wh=inside.ravel(),
                between_wh=between.ravel(),
                rest_wh=rest.ravel(),
                fee=paid.ravel() / 1000,
            )
        )
    return pd.concat(frames, ignore_index=True)


def on_the_last_level(scenario: Scenario) -> set[str]:
    """Names of those who belong to no community: community batteries and generators."""
    return {entry.name for entry in (*scenario.community_batteries, *scenario.generators)}


def _one_by_one(outcome: Outcome) -> None:
    population = outcome.scenario.population
    if population is None:
        return
    stated = {entry.name for entry in outcome.scenario.agents}
    trades = outcome.trades
    for name in trades.loc[trades["community"] != "", "agent"].unique():
        if name not in stated and not population.may_draw(str(name)):
            raise ValueError(
                f"{name}: the trades of this run are sums over buildings; levels need those of "
                "every building, as in a run without workers"
            )


def matched_wh(energy_wh: Integers, community: Integers) -> tuple[Integers, Integers]:
    """What is matched inside communities and between them, in whole watt-hours.

    Of a community's purchases B and sales S in a slot min(B, S) is matched inside, the same share
    of every purchase and of every sale; likewise between communities with what is left.

    Parameters
    ----------
    energy_wh : (n, T) positive where an agent buys
    community : (n,) numbers from 0

    Returns
    -------
    inside, between : (n, T) with the signs of the energy
    """
    inside, between = np.zeros_like(energy_wh), np.zeros_like(energy_wh)
    for slot in range(energy_wh.shape[1]):
        energy = energy_wh[:, slot]
        for group in range(1 + int(community.max())):
            members = community == group
            inside[members, slot] = _matched(energy[members])
        between[:, slot] = _matched(energy - inside[:, slot])
    return inside, between


def _matched(energy_wh: Integers) -> Integers:
    """(n,) what n agents can exchange in one slot; it sums to zero."""
    bought, sold = np.maximum(energy_wh, 0), np.maximum(-energy_wh, 0)
    total = min(int(bought.sum()), int(sold.sum()))
    return _shares(bought, total) - _shares(sold, total)


def _shares(parts: Integers, total: int) -> Integers:
    """Whole shares of a total in proportion to parts, none above its part; they sum to it.

    Hamilton's method: everybody the whole of its quota, then one each to the largest remainders.
    """
    everything = int(parts.sum())
    if total == 0 or everything == total:
        return parts * (total > 0)
    # Python's whole numbers: the product of two energies may need more than 64 bits.
    quota = [divmod(int(part) * total, everything) for part in parts]
    shares = np.array([whole for whole, _ in quota], dtype=np.int64)
    remainders: Floats = np.array([float(left) for _, left in quota])
    largest_first = np.argsort(-remainders, kind="stable")
    shares[largest_first[: total - int(shares.sum())]] += 1
    return shares
