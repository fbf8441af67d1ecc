"""What a group of prosumers could save by itself: the coalitional game of a community's day."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from nashgrid.market.bargaining.coalitional_game import CoalitionalGame
from nashgrid.market.bargaining.problem import Floats

_BATCH = 2_000_000  # numbers held at a time


@dataclass(frozen=True)
class PoolingGame:
    """Prosumers who settle with the utility together, by one of the two plans that they know.

    A coalition C, cut off from everybody else, nets its members' energy slot by slot and pays the
    utility's tariff for the rest, bill(z) = dt sum_t max(lb_t z_t, ls_t z_t). It may keep the
    schedules that each has alone, p0, or carry out its part of those agreed on by all, p::

        kept(C)   = sum_C bill(p0_i) - bill(sum_C p0_i)
        agreed(C) = sum_C (g_i - l_i) - bill(sum_C p_i)
        v(C)      = max(kept(C), agreed(C))

    g_i is what i's own cost falls by before any payment. l_i is its share, by energy traded, of
    what delivery costs beyond the tariff (losses), so that v(all) = S, the savings of all. The
    best schedules of C by itself may save it more, and the wires are not asked: v states what C
    can do without planning anew.

    Parameters
    ----------
    alone_kw, agreed_kw : (n, T) p0 and p [kW]
    saving : (n,) g [currency]
    surplus : S [currency]
    retail_price, feed_in_price : (T,) lb and ls [currency/kWh], ls <= lb
    slot_hours : dt [h]
    """

    alone_kw: Floats
    agreed_kw: Floats
    saving: Floats
    surplus: float
    retail_price: Floats
    feed_in_price: Floats
    slot_hours: float

    @property
    def players(self) -> int:
        """Number of prosumers n."""
        return len(self.saving)

    @cached_property
    def traded_kwh(self) -> Floats:
        """(n,) energy that each buys and sells by the agreed plan [kWh]."""
        return np.asarray(self.slot_hours * np.abs(self.agreed_kw).sum(axis=1))

    def bill(self, power_kw: Floats) -> Floats:
        """What the utility asks for (..., T) power [currency]; (...)."""
        dear = np.maximum(self.retail_price * power_kw, self.feed_in_price * power_kw)
        return np.asarray(self.slot_hours * dear.sum(axis=-1))

    def worths(self, members: NDArray[np.bool_]) -> Floats:
        """(k,) v of coalitions given as (k, n) rows."""
        own = members.astype(np.float64)
        kept = own @ self._bill_alone - self.bill(own @ self.alone_kw)
        agreed = own @ self.worth_before_bill - self.bill(own @ self.agreed_kw)
        return np.asarray(np.maximum(kept, agreed))

    def marginal_contributions(self) -> Floats:
        """(n,) v(all) - v(all but i): what i adds to the savings of all others, at least 0."""
        everybody = self.worths(np.ones((1, self.players), dtype=bool))[0]
        kept = self._bill_alone.sum() - self._bill_alone - self._bills_without(self.alone_kw)
        before = self.worth_before_bill
        agreed = before.sum() - before - self._bills_without(self.agreed_kw)
        return np.asarray(np.maximum(everybody - np.maximum(kept, agreed), 0.0))

    def shapley(self, orders: int, seed: int) -> tuple[Floats, Floats]:
        """Shapley value by random orders of arrival, and its standard error, (n,) each.

        The values sum to v(all) whatever the orders.

        Raises
        ------
        ValueError
            If fewer than two orders are to be drawn.

        References
        ----------
        Castro, Gomez, Tejada 2009, Polynomial calculation of the Shapley value based on sampling,
        Computers & Operations Research 36(5).
        """
        if orders < 2:
            raise ValueError(f"orders must be >= 2, got {orders}")
        generator = np.random.default_rng(seed)
        together = max(1, min(orders, _BATCH // self.alone_kw.size))
        sums, squares = np.zeros((2, self.players))
        drawn = 0
        while drawn < orders:
            count = min(together, orders - drawn)
            order = generator.permuted(np.tile(np.arange(self.players), (count, 1)), axis=1)
            marginal = np.empty_like(order, dtype=np.float64)
            np.put_along_axis(marginal, order, self._arrivals(order), axis=1)
            sums += marginal.sum(axis=0)
            squares += (marginal**2).sum(axis=0)
            drawn += count
        mean = sums / orders
        variance = np.maximum(squares / orders - mean**2, 0.0) * orders / (orders - 1)
        return mean, np.sqrt(variance / orders)

    def of_groups(self, group: NDArray[np.intp]) -> CoalitionalGame:
        """The game among groups, 0..G-1, to which each prosumer belongs; up to 15 groups."""
        count = int(group.max()) + 1
        member = group[None, :] == np.arange(count)[:, None]
        codes = np.arange(2**count)
        chosen = (codes[:, None] >> np.arange(count)) & 1
        worths = self.worths(chosen @ member.astype(np.int64) > 0)
        worths[0] = 0.0
        return CoalitionalGame(count, lambda s: float(worths[sum(1 << player for player in s)]))

    @cached_property
    def _bill_alone(self) -> Floats:
        return self.bill(self.alone_kw)

    @cached_property
    def worth_before_bill(self) -> Floats:
        """(n,) g - l; l shared by energy traded, or equally where nobody trades."""
        beyond = float(self.saving.sum() - self.bill(self.agreed_kw.sum(axis=0))) - self.surplus
        whole = self.traded_kwh.sum()
        share = self.traded_kwh / whole if whole > 0 else np.full(self.players, 1 / self.players)
        return self.saving - beyond * share

    def _bills_without(self, power_kw: Floats) -> Floats:
        """(n,) the bill of all but i."""
        return self.bill(power_kw.sum(axis=0) - power_kw)

    def _arrivals(self, order: NDArray[np.intp]) -> Floats:
        """(k, n) what each adds to those before it, in the order of arrival."""
        kept = self._bill_alone[order].cumsum(axis=1)
        kept -= self.bill(self.alone_kw[order].cumsum(axis=1))
        agreed = self.worth_before_bill[order].cumsum(axis=1)
        agreed -= self.bill(self.agreed_kw[order].cumsum(axis=1))
        return np.diff(np.maximum(kept, agreed), axis=1, prepend=0.0)
