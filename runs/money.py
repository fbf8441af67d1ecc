"""The exchanges of money of a model: who brings what to each, and by what rule it is shared."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd

from nashgrid.agents.local_problem import Tariff
from nashgrid.agents.mediator import Weigh
from nashgrid.market.bargaining.own_connections import OwnConnections
from nashgrid.market.bargaining.pooling_game import PoolingGame
from nashgrid.market.bargaining.price_anchor import anchored_gains, price_gains
from nashgrid.market.bargaining.price_band import PriceBand, payment_bounds
from nashgrid.market.messages import Floats
from nashgrid.market.topics import (
    BAND_MONEY,
    CONTRIBUTION_MONEY,
    MONEY,
    NUCLEOLUS_MONEY,
    PRICE_MONEY,
    SHAPLEY_MONEY,
    TRADED_MONEY,
    UTILITY_MONEY,
)
from nashgrid.runs.coalitions import contributions, nucleolus_of_kinds, shapley_value

Value = Callable[[PoolingGame, pd.Series], Floats]
"""(game, kind of each prosumer) -> (n,) what each is worth, at least 0."""

COALITION_VALUES: Mapping[str, Value] = {
    CONTRIBUTION_MONEY: contributions,
    SHAPLEY_MONEY: shapley_value,
    NUCLEOLUS_MONEY: nucleolus_of_kinds,
}
MEDIATED = (*COALITION_VALUES, BAND_MONEY, PRICE_MONEY, UTILITY_MONEY)


@dataclass(frozen=True)
class Stakes:
    """What the members of an exchange of money bring to it, the counterparty last.

    Parameters
    ----------
    saving : (n + 1,) fall of their own cost before payments [currency]
    weight : (n + 1,) bargaining weights
    alone_kw, agreed_kw : (n, T) trades with the utility alone and in the market [kW]
    price_per_kwh : (n, T) clearing prices at their places [currency/kWh]
    tariff, slot_hours : of the utility
    """

    saving: Floats
    weight: Floats
    alone_kw: Floats
    agreed_kw: Floats
    price_per_kwh: Floats
    tariff: Tariff
    slot_hours: float

    def weights(self, topic: str) -> Floats:
        """(n + 1,) what each enrols with; a mediator replaces it."""
        if topic == MONEY:
            return self.weight
        plays = (self.weight > 0).astype(np.float64)
        if topic == TRADED_MONEY:
            energy = np.append(np.abs(self.agreed_kw).sum(axis=1) * self.slot_hours, 0.0)
            return np.asarray(plays * energy)
        return plays

    def statement(self, topic: str, rows: slice) -> dict[str, Floats] | None:
        """What some of the members tell a mediator; None where there is none."""
        if topic not in MEDIATED:
            return None
        traders = len(self.agreed_kw)
        if topic == BAND_MONEY:
            retail, feed_in = self.tariff.retail_price_per_kwh, self.tariff.feed_in_price_per_kwh
            least, most = payment_bounds(self.agreed_kw, feed_in, retail, self.slot_hours)
            low = np.append(np.maximum(self.saving[:traders] - most, 0.0), 0.0)
            high = np.append(self.saving[:traders] - least, self.saving.sum())
            return {"least_gain": low[rows, None], "most_gain": high[rows, None]}
        if topic == PRICE_MONEY:
            gain = price_gains(
                self.saving[:traders],
                self.tariff.bills(self.alone_kw, self.slot_hours),
                self.alone_kw,
                self.agreed_kw,
                self.price_per_kwh,
                self.slot_hours,
            )
            return {"price_gain": np.append(gain, 0.0)[rows, None]}
        if rows.start >= traders:
            return {}
        agreed = {"agreed_kw": self.agreed_kw[rows]}
        return agreed if topic == UTILITY_MONEY else {"alone_kw": self.alone_kw[rows], **agreed}


def mediation(topic: str, kind: pd.Series, tariff: Tariff, slot_hours: float) -> Weigh:
    """A mediator's rule. It knows tariff and kinds; all else is what it is told."""
    if topic == BAND_MONEY:
        return _ideal_gains_within_the_band
    if topic == PRICE_MONEY:
        return _gains_above_the_prices
    if topic == UTILITY_MONEY:
        return partial(_gains_without_transfers, tariff, slot_hours)

    def weigh(said: Mapping[str, Floats]) -> Floats:
        game = PoolingGame(
            alone_kw=said["alone_kw"][:-1],
            agreed_kw=said["agreed_kw"][:-1],
            saving=said["saving"][:-1, 0],
            surplus=float(said["saving"].sum()),
            retail_price=tariff.retail_price_per_kwh,
            feed_in_price=tariff.feed_in_price_per_kwh,
            slot_hours=slot_hours,
        )
        return np.append(COALITION_VALUES[topic](game, kind), 0.0)

    return weigh


def _ideal_gains_within_the_band(said: Mapping[str, Floats]) -> Floats:
    plays = said["weight"][:, 0] > 0
    least, most = said["least_gain"][plays, 0], said["most_gain"][plays, 0]
    weights = np.zeros(len(plays))
    weights[plays] = PriceBand(least, most, float(said["saving"].sum())).ideal
    return weights


def _gains_above_the_prices(said: Mapping[str, Floats]) -> Floats:
    plays = said["weight"][:, 0] > 0
    weights = np.zeros(len(plays))
    weights[plays] = anchored_gains(said["price_gain"][plays, 0], float(said["saving"].sum()))
    return weights


def _gains_without_transfers(
    tariff: Tariff, slot_hours: float, said: Mapping[str, Floats]
) -> Floats:
    plays = said["weight"][:, 0] > 0
    weights = np.zeros(len(plays))
    weights[plays] = OwnConnections.of_community(
        said["saving"][plays, 0],
        said["agreed_kw"].sum(axis=0),
        tariff.retail_price_per_kwh,
        tariff.feed_in_price_per_kwh,
        slot_hours,
    ).kalai_smorodinsky()
    return weights
