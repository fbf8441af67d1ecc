"""The model of a run in which a leader tries charges before it settles on one."""

from dataclasses import asdict, replace

import pandas as pd

from nashgrid.agents.cloud import Cloud
from nashgrid.agents.led_exchange import LedCloud, LedNegotiation
from nashgrid.market.games.charge_search import ChargeSearch
from nashgrid.market.negotiation import Negotiation
from nashgrid.market.topics import CHARGE_TRIAL, LED, STACKELBERG
from nashgrid.runs.charges_tried import ChargeTried, charges_table, leaders_account
from nashgrid.runs.leaders_charge import LeadersCharge
from nashgrid.runs.model import TradingModel
from nashgrid.runs.scenario import Scenario
from nashgrid.runs.wires import Wires

TRIAL_LEEWAY = 10.0
"""Charges on trial are only compared: they need no reserve for a certificate."""


class LedModel(TradingModel):
    """A trading model whose counterparty leads.

    Before the exchange `STACKELBERG` it opens exchange after exchange with a charge to try. Of each
    it learns prices, what it delivers, and the volume that the charge is paid on; from its account
    follows the next charge, and at last the one that it chooses.

    Parameters
    ----------
    study, topics, seed : as of a `TradingModel`

    Attributes
    ----------
    tried : the charges so far
    """

    def __init__(self, study: Scenario, topics: tuple[str, ...], seed: int) -> None:
        self._led_clouds: dict[str, LedCloud] = {}
        super().__init__(study, (*topics, CHARGE_TRIAL), seed)
        self._waiting.remove(CHARGE_TRIAL)
        for prosumer in self.prosumers:
            prosumer.follow()
        self.tried: list[ChargeTried] = []
        self._search = ChargeSearch(None if study.leader is None else study.leader.required)

    @property
    def charges_tried(self) -> pd.DataFrame:
        """What every charge earned, and which one was chosen."""
        return charges_table(self.tried, self._search.share if self._search.finished else None)

    def end_negotiation(self) -> None:
        """Leave the negotiation under way; where a charge was on trial, draw up the account."""
        if self.negotiation is not None and self.negotiation.coordinator.topic == CHARGE_TRIAL:
            self.tried.append(self._account())
            self._search.learn(self.tried[-1].serves)
        super().end_negotiation()

    @property
    def _charge(self) -> LeadersCharge:
        """On trial now, or chosen."""
        return LeadersCharge(self._search.share, self.wires.tariff)

    def _lay_wires(self, topics: tuple[str, ...]) -> Wires:
        wires = super()._lay_wires(topics)
        return replace(wires, charge=LeadersCharge(0.0, wires.tariff))

    def _cloud(self, topic: str) -> Cloud:
        if topic not in LED:
            return super()._cloud(topic)
        leeway = TRIAL_LEEWAY if topic == CHARGE_TRIAL else 1.0
        rules = replace(self.rules, tolerance=leeway * self.rules.tolerance)
        self._led_clouds[topic] = LedCloud(
            self,
            topic,
            members=self._members(self._energy_seating(topic)),
            rules=rules,
            opening_price=self._opening_price(topic),
        )
        return self._led_clouds[topic]

    def _next_negotiation(self) -> Negotiation:
        if self._waiting[0] != STACKELBERG:
            return super()._next_negotiation()
        topic = self._waiting.pop(0) if self._search.finished else CHARGE_TRIAL
        charge = self._charge
        self.wires = replace(self.wires, charge=charge)
        self._before = self.post.network.totals()
        return LedNegotiation(
            self._led_clouds[topic],
            self.traders,
            self.counterparty,
            self.post,
            charge_per_kwh=charge.per_kwh,
            delivery=self.wires.delivery,
        )

    def _account(self) -> ChargeTried:
        """What the charge on trial came to."""
        leader, exchange = self.counterparty, self.coordinators[CHARGE_TRIAL].exchange
        account = leaders_account(
            self.wires,
            self._charge,
            leader.price(CHARGE_TRIAL),
            leader.demand_kw[CHARGE_TRIAL],
            leader.volume_kw[CHARGE_TRIAL],
        )
        traffic = self.post.network.totals()
        return ChargeTried(
            converged=exchange.converged,
            rounds=len(exchange.records),
            **{name: count - self._before[name] for name, count in traffic.items()},
            **asdict(account),
        )


def trading_model(study: Scenario, topics: tuple[str, ...], seed: int) -> TradingModel:
    """The model of a run: with a leader where a topic asks for one."""
    kind = LedModel if STACKELBERG in topics else TradingModel
    return kind(study, topics, seed)
