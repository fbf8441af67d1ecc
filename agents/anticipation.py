"""Price anticipation: an agent that knows what its own power does to the price that it pays.

In the market it pays its own price, q = base + factor (lambda - base), with lambda the price of
the exchange, and one more kW of its own raises q by a slope. Against the others' power it would

    minimise  f(y) + dt (q + slope (y - x)).y        over its schedules y, now at x,

whose condition at y = x, df/dx + dt (q + slope x) = 0, is that of a price taker with the further
cost dt slope x^2 / 2. So it takes part in an ordinary exchange with that cost added. Where factors
differ, it states everything divided by its factor: the agents' conditions are then those of one
common minimum, the weighted potential (Monderer and Shapley 1996).
"""

from dataclasses import dataclass

import numpy as np

from nashgrid.market.messages import Floats
from nashgrid.market.participation import Respond


def price_taker(slots: int) -> "Anticipation":
    """Of one that pays the exchange's price and takes it as given."""
    return Anticipation(np.zeros(slots), 1.0, np.zeros(slots))


@dataclass(frozen=True)
class Anticipation:
    """What an agent knows of its influence.

    Parameters
    ----------
    base_price_per_kwh : (T,) the price that it pays where the exchange's is the same [currency/kWh]
    factor : how strongly its own price follows that of the exchange, above 0
    slope_per_kw2h : (T,) what a kW of its own adds to its own price, at least 0 [currency/kW2h]
    """

    base_price_per_kwh: Floats
    factor: float
    slope_per_kw2h: Floats

    def own_price(self, price: Floats) -> Floats:
        """(T,) q, what it pays where the exchange has this price [currency/kWh]."""
        base = self.base_price_per_kwh
        return np.asarray(base + self.factor * (price - base))

    def deviation_terms(self, price: Floats, trade_kw: Floats) -> tuple[Floats, Floats]:
        """Price and slope (T,) of a deviation y: it pays (q - slope x).y + slope y^2, by slot."""
        own = self.own_price(price)
        return own - self.slope_per_kw2h * trade_kw, self.slope_per_kw2h

    def respond(self, answer: Respond, size: Floats) -> Respond:
        """Answers to quotes, by a price taker's answers with stiffness (1, T) in place of a step.

        Divided by the factor, the exchange's proximal term is factor x step / size times as stiff;
        together with the further cost it is one square around a target drawn towards nothing.
        """

        def anticipate(price: Floats, target: Floats, step: Floats) -> Floats:
            proximal = self.factor * step / size
            stiffness = self.slope_per_kw2h + proximal
            return answer(self.own_price(price), proximal * target / stiffness, stiffness)

        return anticipate
