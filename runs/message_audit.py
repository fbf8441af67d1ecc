"""Who learnt what in a run: every word of the clouds, held to what they had heard.

What a cloud says follows from sums. With x_i the offers of a round, w_i the sizes and W their sum
by commodity,

    xbar = sum_i x_i / W,    clearing = lambda + rho xbar,    lambda' = sum_s weight_s clearing(s),

s the rounds in the memory. The audit takes enrolments, offers and commitments from the log, and
holds quotes, closing prices, sums of enrolments and remainders to them. A number that follows from
anything else does not fit, under whatever name it travels: one agent's power, or a voltage, a
limit, an impedance, a flow or a cost of who delivers.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from nashgrid.agents.bargainer import size_in_money
from nashgrid.market.messages import Floats, Integers
from nashgrid.market.topics import LED, MONEY_EXCHANGES, TRADING
from nashgrid.runs.claims import claim
from nashgrid.runs.layered_audit import LayeredReplay
from nashgrid.runs.led_audit import charge_misfits, volume_misfits
from nashgrid.runs.message_log import MessageLog, differ
from nashgrid.runs.private_quantities import QUANTITIES, only_ones, private_quantities
from nashgrid.runs.seating import energy_seating, opening_price
from nashgrid.runs.told_sums import at_own_place, sum_at_places, told_otherwise, wrong_sums
from nashgrid.runs.wires import Wires

MOST_NAMED = 5


@dataclass(frozen=True)
class Audit:
    """What an audit found.

    Parameters
    ----------
    to_counterparty, to_prosumers : what was told that should not be, a sentence each
    alone : place -> the only participant there, whose power its sum is
    reported_at : buses that are reported at another one -> that bus
    without_content : messages whose content is not in the log, being of long columns
    """

    to_counterparty: tuple[str, ...]
    to_prosumers: tuple[str, ...]
    alone: dict[int, str]
    reported_at: dict[int, int]
    without_content: int

    def claims(self, counterparty: str) -> dict[str, dict[str, Any]]:
        """Nobody was told what it should not know."""
        least = "one participant, as the scenario allows," if self.alone else "two participants"
        return {
            f"messages: {counterparty}": claim(
                len(self.to_counterparty),
                0,
                f"statements that tell the {counterparty} more than prices and sums over at least "
                f"{least} at each place",
            ),
            "messages: prosumers": claim(
                len(self.to_prosumers),
                0,
                "statements that tell prosumers more than prices of their own place and what "
                "follows from sums",
            ),
        }

    def finding(self) -> dict[str, Any]:
        """For the certificate: the worst in words, and what could not be hidden or checked."""
        return {
            "told_too_much": [*self.to_counterparty, *self.to_prosumers][:MOST_NAMED],
            "reported_at_bus": {str(bus): place for bus, place in self.reported_at.items()},
            "alone_at_bus": {str(place): agent for place, agent in self.alone.items()},
            "messages_without_content": self.without_content,
        }


def audit(messages: pa.Table, wires: Wires, roster: pd.DataFrame) -> Audit:
    """Audit the messages of an outcome.

    Where the content of messages is not in the log, only their fields are held to what is declared.

    Parameters
    ----------
    messages : of an outcome
    roster : one row per agent, in order of address
    """
    place = wires.place_of(roster["bus"])
    managers = wires.manager_addresses(len(roster))
    names = pa.compute.unique(messages["topic"].cast(pa.string())).to_pylist()
    to_counterparty: list[str] = []
    to_prosumers: list[str] = []
    without_content = 0
    for name in names:
        log = MessageLog(messages, name, len(roster), len(managers))
        without_content += log.without_content
        to_counterparty += log.undeclared("counterparty")
        to_prosumers += [*log.undeclared("prosumer"), *log.undeclared("manager")]
        if log.without_content or not log.was_held:
            continue
        if (managers or wires.rentals is not None) and name == TRADING:
            layers = _layers(log, wires, place)
            to_counterparty += layers.told_counterparty()
            to_prosumers += layers.told_others()
            continue
        money = np.zeros(len(roster) + len(managers), dtype=np.int64)
        replay = _Replay(log, money if name in MONEY_EXCHANGES else place)
        to_counterparty += replay.told_counterparty()
        to_prosumers += replay.told_prosumers()
        if name in LED:
            to_counterparty += volume_misfits(log)
            to_prosumers += charge_misfits(log)
    return found(to_counterparty, to_prosumers, wires, roster, without_content)


def found(
    to_counterparty: Sequence[str],
    to_prosumers: Sequence[str],
    wires: Wires,
    roster: pd.DataFrame,
    without_content: int = 0,
) -> Audit:
    """What was told, and who is alone at a place: there the sum is its own power."""
    place = wires.place_of(roster["bus"])
    alone = {
        wires.places[place[row]]: str(roster["agent"].iloc[row])
        for row in np.flatnonzero(np.bincount(place)[place] == 1)
    }
    given_away = []
    if wires.scenario.privacy.single_participant_buses != "allow":
        told = only_ones(private_quantities(wires.scenario, roster), place)
        given_away = [
            f"the {QUANTITIES[quantity]} of {roster['agent'].iloc[row]} alone at bus "
            f"{wires.places[place[row]]}"
            for row, quantity in told
        ]
    return Audit(
        (*to_counterparty, *given_away),
        tuple(to_prosumers),
        alone,
        dict(wires.reported_at),
        without_content,
    )


def _layers(log: MessageLog, wires: Wires, place: Integers) -> LayeredReplay:
    """The trading exchange where some trade more than power at their place."""
    places, slots = len(wires.places), wires.scenario.horizon.slots
    seating = energy_seating(place, places, slots, wires.levels, wires.rentals)
    retail = wires.tariff.retail_price_per_kwh
    opening = opening_price(retail, places, wires.levels, wires.rentals)
    return LayeredReplay(log, seating, place, opening)


class _Replay:
    """What should have been said in an exchange, from what its cloud had heard.

    Parameters
    ----------
    log : of an exchange that had a round, with all content
    place : (n,) where each agent trades
    """

    def __init__(self, log: MessageLog, place: Integers) -> None:
        self._log, self._place = log, place
        self._places = 1 + int(place.max())
        quotes = log.to_counterparty("quote")
        self._step = log.step[quotes]
        self._quoted = {name: log.values(quotes, name) for name in log.fields(quotes)}
        size = self._total_size()
        said, spoken = self._sums_of_offers()
        self._imbalance = said / size
        self._imbalance_scale = float((spoken / size).max())
        self._clearing = self._quoted["price"] + self._quoted["step"] * self._imbalance
        self._price_scale = float(np.abs(self._clearing).max())

    def told_counterparty(self) -> Iterator[str]:
        """What it was told that does not follow from sums."""
        log = self._log
        yield from wrong_sums(log, self._place)
        price, imbalance = self._prices(), np.roll(self._imbalance, 1, axis=0)
        imbalance[0] = 0.0
        for number in range(len(price)):
            if differ(self._quoted["price"][number], price[number], self._price_scale):
                yield f"{log.topic}: round {number + 1}: the price does not follow from sums"
            if differ(self._quoted["imbalance"][number], imbalance[number], self._imbalance_scale):
                yield f"{log.topic}: round {number + 1}: the imbalance is not that of all offers"
        for told in log.values(log.to_counterparty("closing"), "price"):
            if differ(told, self._clearing[-1], self._price_scale):
                yield f"{log.topic}: the closing price does not follow from sums"

    def told_prosumers(self) -> Iterator[str]:
        """What they were told beside their own part of what who delivers hears."""
        log = self._log
        quotes, closings = log.to_prosumers("quote"), log.to_prosumers("closing")
        turn = np.searchsorted(self._step, log.step[quotes])
        for name, values in self._quoted.items():
            yield from self._not_their_own(quotes, name, values[turn])
        yield from self._not_their_own(
            closings, "price", np.repeat(self._clearing[-1:], len(closings), axis=0)
        )
        yield from self._set_points()

    def _set_points(self) -> Iterator[str]:
        """Everybody must hear how who delivers sets the inverters at its own place, once."""
        log = self._log
        said, told = log.of_counterparty("set points"), log.to_prosumers("set points")
        if not len(said) and not len(told):
            return
        if len(said) != 1 or sorted(log.receiver[told]) != list(range(1, 1 + len(self._place))):
            yield f"{log.topic}: not everybody was told once how inverters are set"
            return
        own = np.repeat(log.values(said, "reactive_share"), len(told), axis=0)
        yield from self._not_their_own(told, "reactive_share", own)

    def _not_their_own(self, rows: Integers, name: str, values: Floats) -> Iterator[str]:
        """Messages whose field is not the receiver's part of the (rows, K) values."""
        if name in ("price", "imbalance", "reactive_share"):
            values = at_own_place(self._log, rows, values, self._place)
        scale = {"price": self._price_scale, "imbalance": self._imbalance_scale}.get(name, 0.0)
        return told_otherwise(self._log, rows, name, values, scale)

    def _prices(self) -> Floats:
        """(R, K) what the quotes must say: mixed clearing prices of the rounds in the memory."""
        price = self._quoted["price"].copy()
        price[0] = np.tile(price[0].reshape(self._places, -1)[0], self._places)
        memory = np.zeros((self._quoted["mixing_weights"].shape[1], price.shape[1]))
        for number in range(1, len(price)):
            memory[int(self._quoted["memory_slot"][number, 0])] = self._clearing[number - 1]
            price[number] = self._quoted["mixing_weights"][number] @ memory
        return price

    def _total_size(self) -> Floats:
        """(K,) sizes of all; those who were awarded a weight have the size that goes with it."""
        log = self._log
        awards = [log.to_prosumers("award"), log.to_counterparty("award")]
        if len(awards[0]):
            weight = log.values(np.concatenate(awards), "weight")
            return np.asarray(size_in_money(weight).sum(axis=0))
        own, last = log.of_prosumers("enrolment"), log.of_counterparty("enrolment")
        sizes = sum_at_places(log, own, log.values(own, "size"), self._place)
        return np.asarray(sizes + log.values(last, "size").sum(axis=0))

    def _sums_of_offers(self) -> tuple[Floats, Floats]:
        """(R, K) sums of what was offered in each round, and of its absolute values."""
        log = self._log
        own, last = log.of_prosumers("offer"), log.of_counterparty("offer")
        values, rest = log.values(own, "quantity"), log.values(last, "quantity")
        turn = np.searchsorted(self._step, log.step[own])
        at = turn, self._place[log.sender(own) - 1]
        sums, absolute = np.zeros((2, len(self._step), self._places, values.shape[1]))
        np.add.at(sums, at, values)
        np.add.at(absolute, at, np.abs(values))
        return sums.reshape(rest.shape) + rest, absolute.reshape(rest.shape) + np.abs(rest)
