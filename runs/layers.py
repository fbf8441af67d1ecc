"""What is traded beside power at places: levels of communities, and storage for rent."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from nashgrid.market.messages import Floats, Integers
from nashgrid.market.topics import TRADING
from nashgrid.runs.level_outcome import (
    LevelOutcome,
    level_outcome,
    level_tables,
    read_level_outcome,
)
from nashgrid.runs.rental_outcome import (
    RentalOutcome,
    read_rental_outcome,
    rental_outcome,
    rental_tables,
)
from nashgrid.runs.wires import Wires

if TYPE_CHECKING:
    from nashgrid.runs.model import TradingModel
    from nashgrid.runs.outcome import Tables


@dataclass(frozen=True)
class Layers:
    """What came of both in an outcome.

    Parameters
    ----------
    levels : of communities with managers; None where they have none, or there was no trade
    rentals : of batteries for rent; None where there are none, or there was no trade
    """

    levels: LevelOutcome | None = None
    rentals: RentalOutcome | None = None

    def of(self, case: str) -> "Layers":
        """What there is of them in a case."""
        return self if case == TRADING else NO_LAYERS

    @property
    def rental_imbalance(self) -> float | None:
        """Largest difference between storage let and rented, as a share; None without any."""
        return None if self.rentals is None else self.rentals.largest_imbalance

    def energy_price(self, place_price: Floats, place: Integers) -> Floats:
        """(n, T) what agents pay for energy, from the prices (P, T) of places [currency/kWh]."""
        if self.levels is None:
            return np.asarray(place_price[place])
        return self.levels.agent_price(place_price)

    def price(self, energy_price: Floats) -> list[Floats]:
        """(K,) of each agent: prices of all that it trades, energy (n, T) first."""
        if self.rentals is None:
            return list(energy_price)
        more = self.rentals
        return [np.append(own, more.price(row)) for row, own in enumerate(energy_price)]

    def quantity(self, trade_kw: Sequence[Floats] | Floats) -> list[Floats]:
        """(K,) of each agent: quantities of all that it trades, power (n, T) first."""
        if self.rentals is None:
            return list(trade_kw)
        more = self.rentals
        return [np.append(own, more.quantity(row)) for row, own in enumerate(trade_kw)]

    def tables(self, trades: pd.DataFrame, wires: Wires) -> dict[str, pd.DataFrame]:
        """The tables of both, see `Tables`; empty where there is nothing."""
        return level_tables(self.levels, trades, wires) | rental_tables(self.rentals)


NO_LAYERS = Layers()


def layers_of(model: "TradingModel") -> Layers:
    """Of a finished negotiation."""
    return Layers(level_outcome(model), rental_outcome(model))


def read_layers(wires: Wires, tables: "Tables") -> Layers:
    """From the tables of an outcome.

    Raises
    ------
    ValueError
        If these have other rows than were made.
    """
    return Layers(
        read_level_outcome(wires.levels, tables.levels, tables.community_prices),
        read_rental_outcome(wires, tables.rentals, tables.rented_charging),
    )
