"""What a distribution system operator (DSO) pays for a delivery, and the limits it must keep."""

from __future__ import annotations

from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike

from nashgrid.grid.checked_array import checked_array, positive
from nashgrid.grid.feeder import Feeder, FloatArray, IntArray
from nashgrid.grid.inverter_settings import settle_inverters
from nashgrid.grid.inverters import NO_INVERTERS, Inverters
from nashgrid.grid.lindistflow import LinDistFlow
from nashgrid.grid.operator_limits import OperatorLimits, condense_limits
from nashgrid.grid.operator_quadratic import OperatorQuadratic
from nashgrid.grid.priorities import NOMINAL_PU, Priorities, deviation_pu2

MONEY_ALONE = Priorities()


class OperatorTerms:
    r"""Least-cost delivery through a radial feeder, LinDistFlow in condensed form.

    The decision d (S, B) is the power in kW delivered at each trading bus (negative: taken in),
    and q (S, Q) the reactive power in kvar taken by the inverters that the operator may set.
    With D_s the sum of d over the buses and dt the slot length, the operator minimises

    .. math::
        \sum_s dt \, [\max(b_s D_s, a_s D_s) + \tfrac12 m_s D_s^2 + c_s \, loss(d_s, q_s)
        + u \, deviation(d_s, q_s)] + \sum f_{sb} d_{sb} + \tfrac12 \sum k_b d_{sb}^2

    (b retail, a feed-in, m slope of the price upstream, c what losses count: their price and
    what `Priorities` adds, u what deviations of voltage count there; f, k given with each
    question) subject to the voltage
    limits at every bus, those of the lines (`OperatorLimits`), the exchange limit |D_s| at the
    root, |d_sb| <= the demand limit of the bus and |q| <= the limit of its inverters. All other
    reactive power is fixed. Losses, the estimate of `LinDistFlow.losses_kw`, are bought at c
    whatever the direction of the flow.

    What follows from a delivery d alone (cost, losses, voltages, violation) is meant with the q
    that serves it best: `settle_inverters`.

    Parameters
    ----------
    feeder : Feeder
    trading_buses : (B,) labels
        Where power is delivered; the other buses take no active power.
    reactive_kvar : (S, n)
        Reactive demand at every bus of the feeder, without the inverters that are set.
    slot_hours : float
        dt, hours.
    retail_price_per_kwh, feed_in_price_per_kwh : (S,) or scalar
        Price of what is bought (sold) upstream, currency/kWh; retail >= feed-in.
    loss_price_per_kwh : (S,) or scalar
        Price of the losses, >= 0.
    price_slope_per_kw2h : (S,) or scalar
        What a kW bought upstream adds to its price there, currency/kW2h; >= 0.
    demand_limit_kw : (B,) or scalar
        Largest power, either way, at each trading bus; finite.
    exchange_limit_kw : (S,) or scalar
        Largest power, either way, at the root; infinite if not given.
    lowest_voltage_pu, highest_voltage_pu, root_voltage_pu : float
    priorities : Priorities
        What counts beside money.
    inverters : Inverters
        Those whose reactive power the operator sets; none if not given.

    Raises
    ------
    ValueError
        Names the quantity, value and bound that is wrong, or the line and slot where the reactive
        flow alone exceeds a limit.
    """

    def __init__(
        self,
        feeder: Feeder,
        *,
        trading_buses: ArrayLike,
        reactive_kvar: ArrayLike,
        slot_hours: float,
        retail_price_per_kwh: ArrayLike,
        feed_in_price_per_kwh: ArrayLike,
        loss_price_per_kwh: ArrayLike,
        demand_limit_kw: ArrayLike,
        price_slope_per_kw2h: ArrayLike = 0.0,
        exchange_limit_kw: ArrayLike = np.inf,
        lowest_voltage_pu: float = 0.95,
        highest_voltage_pu: float = 1.05,
        root_voltage_pu: float = 1.0,
        priorities: Priorities = MONEY_ALONE,
        inverters: Inverters = NO_INVERTERS,
    ) -> None:
        self.feeder = feeder
        self.priorities = priorities
        self.trading_buses: IntArray = feeder.buses[feeder.bus_positions(trading_buses)]
        if len(set(self.trading_buses.tolist())) < len(self.trading_buses):
            raise ValueError(f"a trading bus is there twice: {self.trading_buses.tolist()}")
        inverters.check(self.trading_buses)
        self.inverters = inverters
        reactive = np.asarray(reactive_kvar, dtype=np.float64)
        if reactive.ndim != 2 or reactive.shape[1] != feeder.bus_count:
            raise ValueError(
                f"reactive_kvar has shape {reactive.shape}; it needs one row per slot and one "
                f"column for each of the {feeder.bus_count} buses of feeder {feeder.name}"
            )
        self.reactive_kvar = checked_array("reactive_kvar", reactive, reactive.shape)
        slots, buses = len(reactive), len(self.trading_buses)
        self.shape = slots, buses
        self.slot_hours = positive("slot_hours", slot_hours, "h")
        self.retail_price_per_kwh = checked_array(
            "retail_price_per_kwh", retail_price_per_kwh, (slots,)
        )
        self.feed_in_price_per_kwh = checked_array(
            "feed_in_price_per_kwh", feed_in_price_per_kwh, (slots,)
        )
        above = np.flatnonzero(self.feed_in_price_per_kwh > self.retail_price_per_kwh)
        if above.size:
            slot = above[0]
            raise ValueError(
                f"slot {slot}: the feed-in price {self.feed_in_price_per_kwh[slot]:g} is above "
                f"the retail price {self.retail_price_per_kwh[slot]:g} (currency/kWh)"
            )
        self.loss_price_per_kwh = checked_array(
            "loss_price_per_kwh", loss_price_per_kwh, (slots,), least=0.0
        )
        self.price_slope_per_kw2h = checked_array(
            "price_slope_per_kw2h", price_slope_per_kw2h, (slots,), least=0.0
        )
        self.demand_limit_kw = checked_array(
            "demand_limit_kw", demand_limit_kw, (buses,), least=0.0
        )
        self.exchange_limit_kw = checked_array(
            "exchange_limit_kw", exchange_limit_kw, (slots,), least=0.0, finite=False
        )
        self.lowest_voltage_pu = positive("lowest_voltage_pu", lowest_voltage_pu, "pu")
        self.highest_voltage_pu = positive("highest_voltage_pu", highest_voltage_pu, "pu")
        self.root_voltage_pu = positive("root_voltage_pu", root_voltage_pu, "pu")
        if not lowest_voltage_pu <= root_voltage_pu <= highest_voltage_pu:
            raise ValueError(
                f"root_voltage_pu {root_voltage_pu:g} must lie within the voltage limits "
                f"{lowest_voltage_pu:g} to {highest_voltage_pu:g} pu"
            )
        self.limits: OperatorLimits = condense_limits(
            feeder,
            self.trading_buses,
            inverters,
            reactive,
            root_voltage_pu=self.root_voltage_pu,
            lowest_voltage_pu=self.lowest_voltage_pu,
            highest_voltage_pu=self.highest_voltage_pu,
            exchange_limit_kw=self.exchange_limit_kw,
        )

    _settled: tuple[FloatArray, FloatArray] | None = None

    @cached_property
    def _model(self) -> LinDistFlow:
        return LinDistFlow(self.feeder)

    @cached_property
    def quadratic(self) -> OperatorQuadratic:
        """The objective without the price upstream, in the decision (d, q)."""
        return OperatorQuadratic(self, self.counted_loss_price_per_kwh)

    @cached_property
    def decision_limit(self) -> FloatArray:
        """Largest |d| and |q|, (B + Q,), kW and kvar."""
        return np.concatenate([self.demand_limit_kw, self.inverters.limit_kvar])

    @property
    def counted_loss_price_per_kwh(self) -> FloatArray:
        """What losses count: their price, and what the priorities add; (S,)."""
        return self.loss_price_per_kwh + self.priorities.loss_per_kwh

    def bus_power_kw(self, demand_kw: ArrayLike) -> FloatArray:
        """The delivery spread over all buses of the feeder, (S, n)."""
        power = np.zeros_like(self.reactive_kvar)
        power[:, self.feeder.bus_positions(self.trading_buses)] = self._delivery(demand_kw)
        return power

    def losses_kw(self, demand_kw: ArrayLike) -> FloatArray:
        """Estimated losses per slot, (S,), kW; those of the reactive flow included."""
        return self._model.losses_kw(self.bus_power_kw(demand_kw), self.reactive_at(demand_kw))

    def energy_cost(self, demand_kw: ArrayLike) -> FloatArray:
        """Bill for the exchange upstream per slot, (S,), without losses; currency."""
        exchange = self._delivery(demand_kw).sum(axis=1)
        retail, feed_in = self.retail_price_per_kwh, self.feed_in_price_per_kwh
        curved = 0.5 * self.price_slope_per_kw2h * exchange**2
        bill: FloatArray = self.slot_hours * (
            np.maximum(retail * exchange, feed_in * exchange) + curved
        )
        return bill

    def loss_cost(self, demand_kw: ArrayLike) -> FloatArray:
        """Bill for the losses per slot, (S,); currency."""
        bill: FloatArray = self.slot_hours * self.loss_price_per_kwh * self.losses_kw(demand_kw)
        return bill

    def voltage_squared(self, demand_kw: ArrayLike) -> FloatArray:
        """Squared voltages of a delivery, (S, n), pu^2."""
        power, reactive = self.bus_power_kw(demand_kw), self.reactive_at(demand_kw)
        return self._model.voltage_squared(power, reactive, self.root_voltage_pu)

    def beyond_money(self, demand_kw: ArrayLike) -> FloatArray:
        """What a delivery counts by the priorities beside its cost, (S,), currency."""
        own, hours = self.priorities, self.slot_hours
        count = own.loss_per_kwh * self.losses_kw(demand_kw)
        if own.deviation_per_pu2h > 0.0:
            count = count + own.deviation_per_pu2h * deviation_pu2(self.voltage_squared(demand_kw))
        return np.asarray(hours * count)

    def deviation_price(self, voltage_squared: FloatArray) -> FloatArray:
        """What one more pu^2 of squared voltage counts, currency/(pu^2 h)."""
        return 0.5 * self.priorities.deviation_per_pu2h * (voltage_squared - NOMINAL_PU**2)

    def set_kvar(self, demand_kw: ArrayLike) -> FloatArray:
        """Reactive power at which the operator sets the inverters for a delivery, (S, Q), kvar."""
        demand = self._delivery(demand_kw)
        if not len(self.inverters.buses):
            return np.zeros((len(demand), 0))
        if self._settled is None or not np.array_equal(self._settled[0], demand):
            self._settled = demand.copy(), self._settled_kvar(demand)
        return self._settled[1]

    def _settled_kvar(self, demand_kw: FloatArray) -> FloatArray:
        return settle_inverters(self, demand_kw)

    def set_share(self, demand_kw: ArrayLike) -> FloatArray | None:
        """Part of what they can take to which the inverters at a bus are set, (S, B).

        0 at buses without; None where there are none at all.
        """
        if not len(self.inverters.buses):
            return None
        share = np.zeros(self.shape)
        where = self.trading_buses.tolist()
        at = [where.index(bus) for bus in self.inverters.buses.tolist()]
        share[:, at] = self.set_kvar(demand_kw) / self.inverters.limit_kvar
        return share

    def reactive_at(self, demand_kw: ArrayLike) -> FloatArray:
        """Reactive power taken at every bus with a delivery, (S, n), kvar."""
        return self.bus_kvar(self.set_kvar(demand_kw))

    def bus_kvar(self, set_kvar: FloatArray) -> FloatArray:
        """Reactive power taken at every bus, (S, n), where inverters take (S, Q); kvar."""
        reactive = self.reactive_kvar.copy()
        reactive[:, self.feeder.bus_positions(self.inverters.buses)] += set_kvar
        return reactive

    def decision(self, demand_kw: ArrayLike) -> FloatArray:
        """x = (d, q) of a delivery, (S, B + Q)."""
        return np.hstack([self._delivery(demand_kw), self.set_kvar(demand_kw)])

    def cost(self, demand_kw: ArrayLike) -> float:
        """Energy and loss cost of a delivery over all slots, currency."""
        return float(np.sum(self.energy_cost(demand_kw) + self.loss_cost(demand_kw)))

    def objective(self, demand_kw: ArrayLike) -> float:
        """What the operator minimises: cost, and what the priorities count beside it; currency."""
        return self.cost(demand_kw) + float(np.sum(self.beyond_money(demand_kw)))

    def violation(self, demand_kw: ArrayLike) -> tuple[float, float]:
        """Largest violation of a power limit (kW) and of a voltage limit (pu); 0 if none."""
        demand = self._delivery(demand_kw)
        limits = self.limits
        value = self.decision(demand) @ limits.rows.T
        power = slice(0, limits.bus_rows.start)
        over_kw = max(
            np.max(value[:, power] - limits.upper[:, power], initial=0.0),
            np.max(limits.lower[:, power] - value[:, power], initial=0.0),
            np.max(np.abs(demand) - self.demand_limit_kw, initial=0.0),
        )
        voltage = np.sqrt(np.maximum(self.voltage_squared(demand), 0.0))
        over_pu = max(
            np.max(self.lowest_voltage_pu - voltage, initial=0.0),
            np.max(voltage - self.highest_voltage_pu, initial=0.0),
        )
        return float(over_kw), float(over_pu)

    def _delivery(self, demand_kw: ArrayLike) -> FloatArray:
        return checked_array("demand_kw", demand_kw, self.shape)
