"""One feeder of two with a tie, as far as its tables tell: of a run, or read from its files."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from nashgrid.agents.compiled_problem import CompiledProblem
from nashgrid.market.messages import Floats
from nashgrid.market.topics import TRADING
from nashgrid.runs.central import connection_limits
from nashgrid.runs.network_tables import NetworkTables, network_tables
from nashgrid.runs.roster import roster
from nashgrid.runs.scenario import Scenario
from nashgrid.runs.tables import demand_kw, price_at_places
from nashgrid.runs.tied.tie import TiedWires


@dataclass(frozen=True)
class Alone:
    """What a feeder comes to without the tie: the accounts and the certificate of a run."""

    accounts: pd.DataFrame
    certificate: dict[str, Any]


@dataclass(frozen=True)
class Half:
    """What was agreed on in one of the feeders.

    Parameters
    ----------
    wires : with the terminal of the tie as the last place
    prices, trades, schedules : see `nashgrid.runs.outcome.Tables`, case "trading" alone
    problems : of the agents; the schedules are in their statements
    device_cost : (n,) of the agents, before any payment [currency]
    alone : None where the feeder cannot be kept without the tie
    """

    wires: TiedWires
    prices: pd.DataFrame
    trades: pd.DataFrame
    schedules: pd.DataFrame
    problems: list[CompiledProblem]
    device_cost: Floats
    alone: Alone | None

    @property
    def scenario(self) -> Scenario:
        """Its scenario."""
        return self.wires.scenario

    @property
    def name(self) -> str:
        """Of its scenario."""
        return self.scenario.name

    @cached_property
    def roster(self) -> pd.DataFrame:
        """One row per agent."""
        return roster(self.scenario, None)

    @cached_property
    def price(self) -> Floats:
        """(T, B) price at each place [currency/kWh]; that of the flow comes last."""
        return price_at_places(self.prices, TRADING, self.wires)

    @cached_property
    def demand_kw(self) -> Floats:
        """(T, B) what the operator delivers at each place; what goes into the tie comes last."""
        return demand_kw(self.trades, TRADING, self.wires)

    @property
    def into_tie_kw(self) -> Floats:
        """(T,) what goes into the tie at its end."""
        return np.asarray(self.demand_kw[:, -1])

    @cached_property
    def price_at_tie(self) -> Floats:
        """(T,) price at the bus where the tie begins [currency/kWh]."""
        limits = connection_limits(self.scenario, self.wires)
        return self.wires.price_at_tie(TRADING, self.demand_kw, self.price, limits)

    @cached_property
    def network(self) -> NetworkTables:
        """What the schedules do in its wires."""
        limits = connection_limits(self.scenario, self.wires)
        return network_tables(self.prices, self.trades, self.wires, [TRADING], limits)
