"""What communities with managers came to: prices inside, what is matched between them."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from nashgrid.market.messages import Floats
from nashgrid.market.topics import TRADING
from nashgrid.runs.levels import Levels
from nashgrid.runs.tables import trade_kw
from nashgrid.runs.wires import Wires

if TYPE_CHECKING:
    from nashgrid.runs.model import TradingModel

PRICE_COLUMNS = ["community", "bus", "slot", "price_per_kwh"]
LEVEL_COLUMNS = ["community", "slot", "inside_kw", "residual_kw", "between_kw", "rest_kw"]
LEVEL_COLUMNS += ["premium_per_kwh"]


@dataclass(frozen=True)
class LevelOutcome:
    """Prices and matches of an outcome, beside what agents trade and places cost.

    Parameters
    ----------
    levels : who trades with whom
    inside_price_per_kwh : (K, T) at each community's places [currency/kWh]
    premium_per_kwh : (T,) of what is matched between communities [currency/kWh]
    between_kw : (C, T) what each community buys of others [kW]
    """

    levels: Levels
    inside_price_per_kwh: Floats
    premium_per_kwh: Floats
    between_kw: Floats

    @property
    def imbalance_kw(self) -> float:
        """Largest sum over communities of what each buys of others, which must be nothing."""
        return float(np.abs(self.between_kw.sum(axis=0)).max())

    def agent_price(self, place_price: Floats) -> Floats:
        """(n, T) what each agent pays, from the prices (P, T) of all places [currency/kWh]."""
        return self._prices(place_price)[self.levels.row]

    def manager_price(self, place_price: Floats) -> list[Floats]:
        """What each manager was told: prices of all that it trades, in its order."""
        prices, count = self._prices(place_price), len(self.levels.communities)
        return [prices[self.levels.rows_of(number)].ravel() for number in range(count)]

    def manager_kw(self, trade_kw: Floats) -> list[Floats]:
        """What each manager buys of all that it trades, from the trades of all agents."""
        taken, pairs = self.levels.by_pair(trade_kw), self.levels.pairs[:, 0]
        own = [taken[pairs == number].ravel() for number in range(len(self.between_kw))]
        return [np.concatenate([-e, e, b]) for e, b in zip(own, self.between_kw, strict=True)]

    def _prices(self, place_price: Floats) -> Floats:
        """By row of commodities."""
        inside, premium = self.inside_price_per_kwh, self.premium_per_kwh[None]
        return np.concatenate([place_price, inside, premium])

    def margin(self, place_price: Floats) -> Floats:
        """(K, T) what a kW taken at a place costs a manager more than its members pay."""
        return np.asarray(place_price[self.levels.pairs[:, 1]] - self.inside_price_per_kwh)

    def residual_kw(self, trade_kw: Floats) -> Floats:
        """(C, T) what the members of each community buy in all, from the trades of all agents."""
        return self.levels.by_community(self.levels.by_pair(trade_kw))

    def inside_kw(self, trade_kw: Floats) -> Floats:
        """(C, T) what passes between members: half of all they trade less the residual."""
        gross = self.levels.by_community(self.levels.by_pair(np.abs(trade_kw)))
        return np.asarray((gross - np.abs(self.residual_kw(trade_kw))) / 2)


def level_tables(
    found: LevelOutcome | None, trades: pd.DataFrame, wires: Wires
) -> dict[str, pd.DataFrame]:
    """The tables `levels` and `community_prices` of an outcome; empty without managers."""
    if found is None:
        empty = {"levels": LEVEL_COLUMNS, "community_prices": PRICE_COLUMNS}
        return {name: pd.DataFrame(columns=columns) for name, columns in empty.items()}
    traded_kw = trade_kw(trades, TRADING, len(found.levels.row))
    return {
        "levels": _levels_table(found, traded_kw),
        "community_prices": _community_prices_table(found, wires.places),
    }


def level_outcome(model: "TradingModel") -> LevelOutcome | None:
    """Of a finished negotiation; None where communities have no managers or did not trade."""
    levels = model.wires.levels
    if levels is None or TRADING not in model.coordinators:
        return None
    managers = model.managers
    # Pairs stand in the order of communities, and within one in that of its manager.
    return LevelOutcome(
        levels,
        np.concatenate([one.inside_price(TRADING) for one in managers]),
        managers[0].between_price(TRADING),
        np.array([one.between_kw(TRADING) for one in managers]),
    )


def _community_prices_table(found: LevelOutcome, places: tuple[int, ...]) -> pd.DataFrame:
    pair, slot = np.indices(found.inside_price_per_kwh.shape).reshape(2, -1)
    community, place = found.levels.pairs[pair].T
    values = (
        np.array(found.levels.communities)[community],
        np.array(places)[place],
        slot,
        found.inside_price_per_kwh.ravel(),
    )
    return pd.DataFrame(dict(zip(PRICE_COLUMNS, values, strict=True)))


def _levels_table(found: LevelOutcome, traded_kw: Floats) -> pd.DataFrame:
    residual = found.residual_kw(traded_kw)
    community, slot = np.indices(residual.shape).reshape(2, -1)
    values = (
        np.array(found.levels.communities)[community],
        slot,
        found.inside_kw(traded_kw).ravel(),
        residual.ravel(),
        found.between_kw.ravel(),
        (residual - found.between_kw).ravel(),
        np.tile(found.premium_per_kwh, len(residual)),
    )
    return pd.DataFrame(dict(zip(LEVEL_COLUMNS, values, strict=True)))


def read_level_outcome(
    levels: Levels | None, table: pd.DataFrame, community_prices: pd.DataFrame
) -> LevelOutcome | None:
    """From the tables, whose rows stand in the order in which they were made.

    Raises
    ------
    ValueError
        If the tables have other rows.
    """
    if levels is None or table.empty:
        return None
    communities, pairs = len(levels.communities), len(levels.pairs)
    between = table["between_kw"].to_numpy(float).reshape(communities, -1)
    price = community_prices["price_per_kwh"].to_numpy(float).reshape(pairs, -1)
    premium = table["premium_per_kwh"].to_numpy(float).reshape(communities, -1)
    return LevelOutcome(levels, price, premium[0], between)
