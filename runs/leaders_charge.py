"""What a leader charges for trades inside a community, and what that leaves of its tariff.

The charge is c_t = s (b_t - a_t) / 2 for each kWh that an agent buys or sells, b the retail and a
the feed-in price. It is for trades inside: what the community exchanges with the utility in all is
passed on at the tariff, free of it. So a kWh from the utility counts b - c upstream and costs its
buyer that and the charge, b; one for the utility counts a + c and earns a. At s = 0 this is the
market without a leader; at s = 1 there is one price, and no trade inside pays anybody but the
leader. Nobody pays more for energy than the tariff, but for what limits of the wires add.
"""

from dataclasses import dataclass

import numpy as np

from nashgrid.agents.local_problem import Tariff
from nashgrid.market.messages import Floats


@dataclass(frozen=True)
class LeadersCharge:
    """A charge as a share of the largest that leaves anything to trade for.

    Parameters
    ----------
    share : s, from 0 to 1
    tariff : of the utility
    """

    share: float
    tariff: Tariff

    @property
    def per_kwh(self) -> Floats:
        """(T,) c, for each kWh bought or sold [currency/kWh]."""
        return self.share * self._half_spread

    @property
    def beside_price(self) -> Tariff:
        """What an agent pays beside the clearing price."""
        return Tariff(self.per_kwh, -self.per_kwh)

    @property
    def upstream(self) -> Tariff:
        """What energy of the utility counts, less what agents pay beside the price for it."""
        middle = self.tariff.feed_in_price_per_kwh + self._half_spread
        rest = (1 - self.share) * self._half_spread
        return Tariff(middle + rest, middle - rest)

    @property
    def _half_spread(self) -> Floats:
        tariff = self.tariff
        return np.asarray((tariff.retail_price_per_kwh - tariff.feed_in_price_per_kwh) / 2)
