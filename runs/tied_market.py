"""Two feeders with a tie: held as one market, and proved against one central problem."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from nashgrid.market.topics import TRADING
from nashgrid.runs.inputs import with_values
from nashgrid.runs.scenario import Scenario
from nashgrid.runs.tie import Tie, tied_wires
from nashgrid.runs.tied_model import TiedModel
from nashgrid.runs.tied_proof import tied_certificate


@dataclass(frozen=True)
class TiedOutcome:
    """What two feeders with a tie come to.

    Attributes
    ----------
    scenarios : of the first and the second feeder
    prices : scenario, slot, bus, price_per_kwh; the terminal of the tie is the highest bus
    trades : scenario, agent, bus, slot, trade_kw; positive: buys
    tie : slot, flow_kw, from the first feeder to the second, and price_per_kwh
    certificate : claims, and what they rest on
    """

    scenarios: tuple[Scenario, Scenario]
    prices: pd.DataFrame
    trades: pd.DataFrame
    tie: pd.DataFrame
    certificate: dict[str, Any]

    @property
    def certified(self) -> bool:
        """Whether the negotiation converged and every claim holds."""
        return all(claim["holds"] for claim in self.certificate["claims"].values())


def simulate_tied(first: Scenario, second: Scenario, tie: Tie, seed: int = 1) -> TiedOutcome:
    """Hold one market over two feeders with an operator each, whose tie both trade.

    Each operator keeps its own wires and utility; what it learns of its neighbour is the price of
    the flow between them, and what the neighbour wants of it.

    Parameters
    ----------
    first, second : with a feeder each and the same horizon; names of agents and scenarios differ
    tie : between them
    seed : of everything random

    Raises
    ------
    ValueError
        If the scenarios do not fit together, or no schedule keeps the limits.
    """
    scenarios = with_values(first), with_values(second)
    _check(*scenarios)
    wires = (
        tied_wires(scenarios[0], tie.first_bus, tie),
        tied_wires(scenarios[1], tie.second_bus, tie),
    )
    model = TiedModel(scenarios, wires, seed)
    model.negotiate()
    flow = model.operators[0].demand_kw[TRADING][:, -1]
    price = model.operators[0].price(TRADING)[:, -1]
    return TiedOutcome(
        scenarios=scenarios,
        prices=_prices(model),
        trades=_trades(model),
        tie=pd.DataFrame({"slot": np.arange(len(flow)), "flow_kw": flow, "price_per_kwh": price}),
        certificate=tied_certificate(model),
    )


def _check(first: Scenario, second: Scenario) -> None:
    if first.horizon != second.horizon:
        raise ValueError(f"tie: the horizons of {first.name} and {second.name} differ")
    if first.currency != second.currency:
        raise ValueError(f"tie: the currencies of {first.name} and {second.name} differ")
    names = {agent.name for agent in first.agents} & {agent.name for agent in second.agents}
    if names or first.name == second.name:
        twice = min(names, default=first.name)
        raise ValueError(f"tie: the name {twice!r} stands in both scenarios; names must be unique")


def _prices(model: TiedModel) -> pd.DataFrame:
    frames = []
    for scenario, wires, operator in zip(model.scenarios, model.wires, model.operators):
        price = operator.price(TRADING)
        slot, place = np.indices(price.shape).reshape(2, -1)
        columns = {"slot": slot, "bus": np.array(wires.places)[place]}
        frames.append(
            pd.DataFrame({"scenario": scenario.name, **columns, "price_per_kwh": price.ravel()})
        )
    return pd.concat(frames, ignore_index=True)


def _trades(model: TiedModel) -> pd.DataFrame:
    frames = []
    for scenario, prosumers in zip(model.scenarios, model.prosumers):
        for entry, agent in zip(scenario.agents, prosumers):
            power = agent.seats[TRADING].quantity[0]
            who = {"scenario": scenario.name, "agent": entry.name, "bus": entry.bus}
            frames.append(pd.DataFrame({**who, "slot": np.arange(len(power)), "trade_kw": power}))
    return pd.concat(frames, ignore_index=True)
