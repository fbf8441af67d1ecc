"""What a market settles: energy and prices of n agents over T slots, as arrays."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from nashgrid.agents.local_problem import Tariff
from nashgrid.market.messages import Floats, Integers
from nashgrid.market.settlement import whole_micro, whole_wh
from nashgrid.runs.influence import PriceCurve
from nashgrid.runs.markets.passing_on import Membership, PassedOn
from nashgrid.runs.markets.renting import Renting
from nashgrid.runs.scenario import OPERATOR, UTILITY


@dataclass(frozen=True)
class Terms:
    """At which terms the community deals with the utility, and through whom.

    Parameters
    ----------
    slot_hours : dt [h]
    retail_price_per_kwh, feed_in_price_per_kwh : (T,) of the utility [currency/kWh]
    loss_price_per_kwh : (T,) what the operator pays for losses [currency/kWh]
    losses_kw : (T,) losses that the operator buys [kW]; None without an operator
    curve : the utility's price where it slopes with the community's power; None at the tariff
    """

    slot_hours: float
    retail_price_per_kwh: Floats
    feed_in_price_per_kwh: Floats
    loss_price_per_kwh: Floats
    losses_kw: Floats | None = None
    curve: PriceCurve | None = None

    def tariff_micro(self, energy_wh: Integers) -> Integers:
        """Retail for what is bought, feed-in for what is sold [micro-units/kWh]; (..., T)."""
        retail, feed_in = self.retail_price_per_kwh, self.feed_in_price_per_kwh
        return np.where(energy_wh > 0, whole_micro(retail), whole_micro(feed_in))

    def bills(self, trade_kw: Floats) -> Floats:
        """(n,) what (n, T) trades cost at the tariff [currency]."""
        tariff = Tariff(self.retail_price_per_kwh, self.feed_in_price_per_kwh)
        return tariff.bills(trade_kw, self.slot_hours)

    def upstream_micro(self, energy_wh: Integers) -> Integers:
        """(T,) what the utility asks for the community's energy [micro-units/kWh]."""
        if self.curve is None:
            return self.tariff_micro(energy_wh)
        return whole_micro(self.curve.at(energy_wh / 1000 / self.slot_hours))


@dataclass(frozen=True)
class Trades:
    """Energy, prices and agreed payments of all agents, in order of address.

    Parties are numbered: the agents from 0 on, then managers of communities, then the counterparty,
    then the utility where it is not the counterparty itself.

    Parameters
    ----------
    agents : (n,) names
    baseline_kw, trade_kw : (n, T) trade with the utility alone and in the market [kW]
    price_per_kwh : (n, T) clearing price at each agent's place [currency/kWh]
    terms : with the utility
    bargained : (n,) payments that the agents agreed on, and after them managers of communities
        [currency]; None where they need not
    membership, passed_on : who is a member of which community, and what managers pass on; None
        where they have no managers, or these took no part
    renting : what tenants of batteries pay their owners; None where there are none
    charge_per_kwh : (T,) of a leader for each kWh bought or sold; None where nobody leads
        [currency/kWh]
    onward_kw : (T,) what who delivers passes on over a tie to a neighbour [kW]; None without a tie
    """

    agents: tuple[str, ...]
    baseline_kw: Floats
    trade_kw: Floats
    price_per_kwh: Floats
    terms: Terms
    bargained: Floats | None = None
    membership: Membership | None = None
    passed_on: PassedOn | None = None
    renting: Renting | None = None
    charge_per_kwh: Floats | None = None
    onward_kw: Floats | None = None

    @property
    def delivered_kw(self) -> Floats:
        """(T,) what who delivers takes upstream, but for losses: what all its customers buy."""
        bought = np.asarray(self.trade_kw.sum(axis=0))
        return bought if self.onward_kw is None else bought + self.onward_kw

    @property
    def parties(self) -> tuple[str, ...]:
        """Names by number."""
        others = (UTILITY,) if self.terms.losses_kw is None else (OPERATOR, UTILITY)
        return (*self.agents, *self.managers, *others)

    @property
    def managers(self) -> tuple[str, ...]:
        """Names of the managers of communities."""
        return () if self.passed_on is None else self.passed_on.managers

    @property
    def everybody(self) -> Integers:
        """(n,) numbers of the agents."""
        return np.arange(len(self.agents))

    @property
    def counterparty(self) -> Integers:
        """Number of who delivers: the operator, or the utility itself."""
        return np.array(len(self.agents) + len(self.managers))

    @property
    def account_kw(self) -> Floats:
        """(n, T) trades as members pay fees on them: with the charging done for them elsewhere."""
        return self.trade_kw if self.renting is None else self.trade_kw + self.renting.charging_kw

    @property
    def sellers(self) -> Integers:
        """(n,) numbers of whom the agents trade with: their manager, or who delivers."""
        sellers = np.full(len(self.agents), self.counterparty)
        if self.membership is not None and self.passed_on is not None:
            community = self.membership.community
            sellers = np.where(community >= 0, len(self.agents) + community, sellers)
        return sellers

    @property
    def utility(self) -> Integers:
        """Number of the utility."""
        return np.array(len(self.parties) - 1)

    @cached_property
    def baseline_wh(self) -> Integers:
        """(n, T) energy alone."""
        return whole_wh(self.baseline_kw, self.terms.slot_hours)

    @cached_property
    def energy_wh(self) -> Integers:
        """(n, T) energy in the market."""
        return whole_wh(self.trade_kw, self.terms.slot_hours)

    @cached_property
    def price_micro(self) -> Integers:
        """(n, T) clearing prices [micro-units/kWh]."""
        return whole_micro(self.price_per_kwh)
