"""The local problem of an agent, stated once in CVXPY: the definition of what it wants."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import cvxpy as cp
import numpy as np

from nashgrid.agents.charge import Charge
from nashgrid.agents.devices.device import Contribution, Device, Horizon
from nashgrid.agents.devices.shared_battery import OwnerShare, TenantShare
from nashgrid.market.messages import Floats


@dataclass(frozen=True)
class Tariff:
    """What the utility charges and pays.

    Parameters
    ----------
    retail_price_per_kwh : (T,) price of energy bought [currency/kWh]
    feed_in_price_per_kwh : (T,) price of energy sold, at most the retail price [currency/kWh]
    """

    retail_price_per_kwh: Floats
    feed_in_price_per_kwh: Floats

    def with_fee(self, fee_per_kwh: float) -> "Tariff":
        """The same, and a fee for each kWh bought or sold [currency/kWh]."""
        if fee_per_kwh == 0:
            return self
        return Tariff(
            self.retail_price_per_kwh + fee_per_kwh, self.feed_in_price_per_kwh - fee_per_kwh
        )

    def bill(self, trade_kw: Floats, slot_hours: float) -> float:
        """lb p+ - ls p- over the day, for a trade p with the utility alone [currency]."""
        return float(self.bills(trade_kw[None], slot_hours)[0])

    def bills(self, trade_kw: Floats, slot_hours: float) -> Floats:
        """(n,) the same of many trades (n, T) [currency]."""
        price = np.where(trade_kw > 0, self.retail_price_per_kwh, self.feed_in_price_per_kwh)
        return np.asarray(slot_hours * np.einsum("nt,nt->n", price, trade_kw))


class LocalProblem:
    """minimise  f(x) + dt price.p   over the devices' decisions and the trade p.

    The devices give variables, constraints and cost f. The trade balances them, slot by slot,

        p = sum of the devices' consumption,   |p| <= connection.

    With a tariff the agent also pays retail for itself (the disagreement outcome): its cost
    gains dt (lb p+ - ls p-).

    Parameters
    ----------
    owner : name of the agent, for messages
    devices : at least one
    horizon : slots and their length
    connection_kw : largest power of the grid connection [kW]
    tariff : None in a market, where the trade is paid for by its price alone; a `Charge` where a
        leader asks for one beside it
    share : in a battery for rent, if any: capacity and charging are then traded as well. The tariff
        is paid on the trade and the charging that the owner does for others, as if they had the
        battery at home

    Raises
    ------
    ValueError
        If no schedule keeps all constraints; names the owner, the device or the slot.
    """

    def __init__(
        self,
        owner: str,
        devices: Sequence[Device],
        horizon: Horizon,
        connection_kw: float,
        tariff: Tariff | Charge | None = None,
        share: TenantShare | OwnerShare | None = None,
    ) -> None:
        self.owner = owner
        self.horizon = horizon
        self.trade = cp.Variable(horizon.slots, name="trade_kw")
        self.parts: Mapping[str, Contribution] = {
            device.name: device.contribute(horizon)
            for device in devices
            if share is None or device.name != share.replaces
        }
        self.share = None if share is None else share.contribute(horizon)
        self.traded = [self.trade]
        if self.share is not None:
            self.parts = {**self.parts, **self.share.devices}
            self.traded += [self.share.charging_kw, self.share.capacity_kwh]
        self.price = cp.Parameter(sum(part.size for part in self.traded), name="price_per_kwh")
        nothing = cp.Constant(np.zeros(horizon.slots))
        self.consumption = sum((part.consumption_kw for part in self.parts.values()), start=nothing)
        self.cost = sum((part.cost for part in self.parts.values()), start=cp.Constant(0.0))
        self.connection_kw = connection_kw
        self.constraints = [self.trade <= connection_kw, self.trade >= -connection_kw]
        for part in self.parts.values():
            self.constraints += part.constraints
        account: cp.Expression = self.trade
        most = connection_kw
        if self.share is not None and share is not None:
            self.constraints += self.share.constraints
            account, most = account + self.share.charging_kw, most + share.battery.power_kw
        paid: cp.Expression = cp.Constant(0.0)
        if tariff is not None:
            bought = cp.Variable(horizon.slots, name="bought_kw")
            self.constraints += [bought >= 0, bought >= account, bought <= most]
            spread = tariff.retail_price_per_kwh - tariff.feed_in_price_per_kwh
            paid = horizon.slot_hours * (spread @ bought + tariff.feed_in_price_per_kwh @ account)
        self.statement = cp.Problem(
            cp.Minimize(self.cost + paid + horizon.slot_hours * self.price @ self._exchanged),
            [self.trade == self.consumption, *self.constraints],
        )

    @property
    def _exchanged(self) -> cp.Expression:
        return self.trade if self.share is None else cp.hstack(self.traded)

    @property
    def quantity(self) -> Floats:
        """(K,) present value of all that is traded: power by slot [kW], and with a share charging
        by slot [kW] and capacity [kWh].
        """
        return np.concatenate([value_of(part) for part in self.traded])

    @property
    def account_kw(self) -> Floats:
        """(T,) present value of what a tariff is paid on [kW]."""
        trade = value_of(self.trade)
        return trade if self.share is None else trade + value_of(self.share.charging_kw)

    def device_cost(self) -> float:
        """f at the present values of the variables [currency]."""
        return float(value_of(self.cost))

    def schedule(self) -> dict[str, dict[str, Floats]]:
        """Present values: device -> quantity (unit in its name) -> (T,)."""
        return {
            name: {
                "consumption_kw": np.broadcast_to(value_of(part.consumption_kw), self.trade.shape)
            }
            | {quantity: value_of(variable) for quantity, variable in part.variables.items()}
            for name, part in self.parts.items()
        }

    def explain_infeasibility(self) -> str:
        """Which device, or which slot, makes the problem infeasible."""
        for name, part in self.parts.items():
            alone = cp.Problem(cp.Minimize(0), list(part.constraints))
            if part.constraints and alone.solve(solver=cp.CLARABEL) == np.inf:
                return f"{self.owner}: device {name!r} cannot keep its own limits"
        excess = cp.Variable(self.horizon.slots)
        elastic = [self.trade + excess == self.consumption, *self.constraints]
        cp.Problem(cp.Minimize(cp.norm1(excess)), elastic).solve(solver=cp.CLARABEL)
        too_much = value_of(excess)
        slot = int(np.argmax(np.abs(too_much)))
        return (
            f"{self.owner}: no schedule keeps the connection limit of {self.connection_kw:g} kW "
            f"in slot {slot}: "
            f"at least {abs(too_much[slot]):.3g} kW too much has to flow "
            f"{'in' if too_much[slot] > 0 else 'out'}"
        )


def value_of(expression: cp.Expression) -> Floats:
    """Present value of an expression.

    Raises
    ------
    ValueError
        If a variable in it has none.
    """
    if expression.value is None:
        raise ValueError(f"{expression} has no value yet")
    return np.asarray(expression.value, dtype=np.float64)
