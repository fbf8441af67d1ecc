"""The cloud of a trading exchange whose members tell what they expect to buy."""

from collections.abc import Sequence

import mesa
import numpy as np

from nashgrid.agents.bench import Members
from nashgrid.agents.cloud import Cloud
from nashgrid.agents.local_problem import Tariff
from nashgrid.market.exchange import ExchangeRules
from nashgrid.market.messages import Floats

BALANCED = 0.0125
"""Expected power, as a share of all sizes, up to which either price may turn out."""


class ForecastCloud(Cloud):
    """Opens where the price is likely to end.

    Who is short buys from the utility at its retail price, who has more than enough sells to it at
    its feed-in price: where a community expects to do so as a whole, that is its price. With E the
    sum of what members expect to buy in a slot and W the sum of all sizes,

        opening price = ls + (lb - ls) min(1, max(0, 1/2 + E / (2 BALANCED W))),

    the same at all places.

    Parameters
    ----------
    tariff : of the utility
    places : where trade takes place; commodities are counted slot by slot within each
    """

    def __init__(
        self,
        model: mesa.Model,
        topic: str,
        *,
        members: Sequence[Members],
        rules: ExchangeRules,
        tariff: Tariff,
        places: int,
    ) -> None:
        self._tariff, self._places = tariff, places
        opening_price = np.tile(tariff.retail_price_per_kwh, places)
        super().__init__(model, topic, members=members, rules=rules, opening_price=opening_price)

    def open_exchange(self) -> bool:
        """Fix sizes and opening price from the enrolments."""
        surely = BALANCED * self._by_slot("size")
        share = np.clip(0.5 + self._by_slot("expected_kw") / (2 * surely), 0.0, 1.0)
        retail, feed_in = self._tariff.retail_price_per_kwh, self._tariff.feed_in_price_per_kwh
        self._opening_price[:] = np.tile(feed_in + share * (retail - feed_in), self._places)
        return super().open_exchange()

    def _by_slot(self, name: str) -> Floats:
        """(T,) sum over all members and places."""
        return np.asarray(self._sum(name).reshape(self._places, -1).sum(axis=0))
