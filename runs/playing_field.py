"""What players see of one another: the price that the others make, and what they can do to it."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np

from nashgrid.agents.anticipation import Anticipation
from nashgrid.agents.counterparty import DeliveryProblem
from nashgrid.market.messages import Floats
from nashgrid.market.topics import COURNOT
from nashgrid.runs.central import connection_limits
from nashgrid.runs.influence import PriceCurve, anticipations, bid_slope, price_curve
from nashgrid.runs.scenario import Scenario
from nashgrid.runs.wires import Wires

Moves = Sequence[tuple[int, Floats]]
"""(seat, (T,) by how much its trade changes [kW])."""


class PlayingField(Protocol):
    """A game in progress."""

    trade_kw: Floats
    """(n, T) what the agents trade now."""
    views: Sequence[Anticipation]
    supplier_moves: bool
    """Whether who delivers has a seat of its own, the last."""

    def opening_price(self) -> Floats: ...
    def begin(self, trade_kw: Floats) -> None: ...
    def price(self) -> Floats: ...
    def limit_charge(self) -> Floats: ...
    def terms(self, seat: int) -> tuple[Floats, Floats]:
        """Price p and slope s (T,) at which an agent pays p.y + s y^2 for a trade y."""
        ...

    def suppliers_wish(self, proximal: float) -> Floats: ...
    def move(self, moves: Moves) -> None: ...
    def adjust_charge(self) -> float: ...


class CournotField:
    """Everybody pays a + f_i (b X + m), with m the charge of the exchange limit |X| <= L.

    After every round each side of the limit raises its charge by b times what exceeds it, and
    lowers it by b times what is left, down to nothing (dual ascent): all see one charge.
    """

    supplier_moves = False

    def __init__(self, views: Sequence[Anticipation], curve: PriceCurve, limit_kw: float) -> None:
        self.views = views
        self.trade_kw = np.zeros((len(views), len(curve.price_per_kwh)))
        self._curve, self._limit_kw = curve, limit_kw
        self._importing = self._exporting = np.zeros(len(curve.price_per_kwh))

    def opening_price(self) -> Floats:
        """(T,) where nobody trades."""
        return self._curve.price_per_kwh

    def begin(self, trade_kw: Floats) -> None:
        """Take the first trades."""
        self.trade_kw = trade_kw

    def price(self) -> Floats:
        """(T,) of the community, the charge included."""
        return self._curve.at(self.trade_kw.sum(axis=0)) + self.limit_charge()

    def limit_charge(self) -> Floats:
        """(T,) positive where it keeps imports down, negative where exports."""
        return self._importing - self._exporting

    def terms(self, seat: int) -> tuple[Floats, Floats]:
        """At the present price, less what the agent's own power adds to it."""
        return self.views[seat].deviation_terms(self.price(), self.trade_kw[seat])

    def suppliers_wish(self, proximal: float) -> Floats:
        """Nothing: the utility has no seat, its price is a rule."""
        return np.zeros(self.trade_kw.shape[1])

    def move(self, moves: Moves) -> None:
        """Change trades."""
        for seat, change in moves:
            self.trade_kw[seat] += change

    def adjust_charge(self) -> float:
        """Move the charges after a round; by how much, in power [kW]."""
        power, slope = self.trade_kw.sum(axis=0), self._curve.slope_per_kw2h
        before = self.limit_charge()
        self._importing = np.maximum(self._importing + slope * (power - self._limit_kw), 0.0)
        self._exporting = np.maximum(self._exporting - slope * (power + self._limit_kw), 0.0)
        # Where the price has no slope, no charge can move what the agents do.
        moved = np.abs(self.limit_charge() - before)
        return float((moved / np.where(slope > 0, slope, np.inf)).max())


class BiddingField:
    """Everybody bids q_i = beta_i - alpha lambda, and the price balances all bids.

    lambda = sum beta / (alpha (n + 1)) with n agents and the utility; an agent that changes its
    trade by its bid alone moves the price by kappa = 1 / (alpha n) for each kW. The utility's limit
    is its own.
    """

    supplier_moves = True

    def __init__(
        self,
        views: Sequence[Anticipation],
        delivery: DeliveryProblem,
        alpha: float,
        opening_price: Floats,
        slot_hours: float,
    ) -> None:
        self.views = views
        self.trade_kw = np.zeros((len(views), len(opening_price)))
        self._delivery, self._alpha, self._hours = delivery, alpha, slot_hours
        self._opening = opening_price
        self._bids = np.zeros((len(views) + 1, len(opening_price)))

    def opening_price(self) -> Floats:
        """(T,) between feed-in and retail price."""
        return self._opening

    def begin(self, trade_kw: Floats) -> None:
        """First bids: the first trades at the opening price; the utility's balances them."""
        everybody = np.vstack([trade_kw, -trade_kw.sum(axis=0)])
        self._bids = everybody + self._alpha * self._opening
        self._clear()

    def price(self) -> Floats:
        """(T,) that balances the bids."""
        return np.asarray(self._bids.sum(axis=0) / (self._alpha * len(self._bids)))

    def limit_charge(self) -> Floats:
        """(T,) nothing: the price holds what the utility's limit is worth."""
        return np.zeros_like(self._opening)

    def terms(self, seat: int) -> tuple[Floats, Floats]:
        """At the present price, less what the agent's own bid adds to it."""
        return self.views[seat].deviation_terms(self.price(), self.trade_kw[seat])

    def suppliers_wish(self, proximal: float) -> Floats:
        """The utility delivers where its marginal cost meets the price that its bid leaves."""
        now, kappa = self._suppliers_trade(), 1 / (self._alpha * len(self.views))
        rest = self.price() - kappa * now
        linear = -self._hours * (rest - proximal * now)
        curvature = np.array([self._hours * (kappa + proximal)])
        return -self._delivery.answer(linear[:, None], curvature).demand_kw[:, 0] - now

    def move(self, moves: Moves) -> None:
        """Change bids so that each would change its trade by so much, were it alone to move."""
        share = (len(self.views) + 1) / len(self.views)
        for seat, change in moves:
            self._bids[seat] += share * change
        self._clear()

    def adjust_charge(self) -> float:
        """There is no charge to move."""
        return 0.0

    def _clear(self) -> None:
        self.trade_kw = self._bids[:-1] - self._alpha * self.price()

    def _suppliers_trade(self) -> Floats:
        return np.asarray(self._bids[-1] - self._alpha * self.price())


def playing_field(scenario: Scenario, wires: Wires, market: str) -> PlayingField:
    """The game of a market, before anybody moved.

    Raises
    ------
    ValueError
        If a population is to play.
    """
    tariff = wires.tariff
    views = anticipations(scenario, tariff, market) or []
    if market == COURNOT:
        limit_kw = scenario.utility.exchange_limit_kw
        return CournotField(views, price_curve(scenario, tariff), limit_kw)
    middle = (tariff.retail_price_per_kwh + tariff.feed_in_price_per_kwh) / 2
    return BiddingField(
        views,
        wires.delivery(market, connection_limits(scenario, wires)),
        bid_slope(scenario, tariff),
        middle,
        scenario.horizon.slot_hours,
    )
