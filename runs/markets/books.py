"""What the promises of a market are checked on."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from nashgrid.market.messages import Floats
from nashgrid.runs.claims import claim
from nashgrid.runs.markets.trades import Trades
from nashgrid.runs.scenario import UTILITY


@dataclass(frozen=True)
class Books:
    """The accounts of an outcome and how exactly they can be held to anything.

    Parameters
    ----------
    accounts : one row per party
    rounding : what settlement in whole units may cost each of them [currency]
    total_cost : of the schedules, before payments [currency]
    tolerance : of the negotiation
    trades : what was settled
    """

    accounts: pd.DataFrame
    rounding: pd.Series
    total_cost: float
    tolerance: float
    trades: Trades

    @cached_property
    def players(self) -> pd.DataFrame:
        """The accounts of those who have a weight."""
        return self.accounts[self.accounts["weight"] > 0]

    @cached_property
    def shared(self) -> pd.DataFrame:
        """The accounts of all but the utility, whose costs together are the community's."""
        return self.accounts[self.accounts["kind"] != UTILITY]

    @property
    def surplus(self) -> float:
        """S, what all but the utility save together [currency]."""
        return float(self.shared["cost_before"].sum()) - self.total_cost

    @property
    def gains(self) -> Floats:
        """Savings of the players [currency]."""
        return np.asarray(self.players["saving"].to_numpy())

    @property
    def slack(self) -> Floats:
        """What rounding may cost the players [currency]."""
        return np.asarray(self.rounding[self.players.index].to_numpy())


def individual_rationality(books: Books) -> dict[str, dict[str, Any]]:
    """Nobody loses, but for rounding."""
    gains, slack = books.gains, books.slack
    worst = int(np.argmax(-gains - slack))
    return {
        "individual rationality": claim(
            -float(gains[worst]), float(slack[worst]), "largest loss of a player [currency]"
        )
    }
