"""The audit of an exchange in which some trade more than power at their place.

Where communities have managers, or batteries are for rent, members of an exchange trade different
commodities. What the cloud says is held to the same sums, address by address.
"""

from collections.abc import Iterator, Sequence

import numpy as np

from nashgrid.agents.bench import Bench, Members
from nashgrid.market.messages import Floats, Integers
from nashgrid.runs.message_log import MessageLog, differ
from nashgrid.runs.seating import Seating

SUMS = ("size", "connection_kw", "lowest_kw", "highest_kw")


class LayeredReplay:
    """What should have been said in an exchange, from what its cloud had heard.

    Parameters
    ----------
    log : of an exchange that had a round, with all content
    seating : who trades what
    place : (n,) where each agent is; their addresses begin with 1, those of the managers follow
    opening_price : (K,) [currency/kWh]
    """

    def __init__(
        self, log: MessageLog, seating: Seating, place: Integers, opening_price: Floats
    ) -> None:
        self._log, agents = log, len(place)
        self._agents = range(1, agents + 1)
        self._managers = range(agents + 1, agents + 1 + len(seating.managers))
        self._last = agents + 1 + len(seating.managers)
        self._place_of = {self._last: dict(enumerate(place.tolist(), start=1))}
        self._slots = seating.rows.shape[1]
        self._opening = opening_price
        managers = [np.array([address]) for address in self._managers]
        everybody = (
            *seating.traders(np.array(self._agents)),
            *seating.who_face_many(managers, np.array([self._last])),
        )
        self._own = commodities_of(everybody, len(opening_price))
        self._replay()

    def told_counterparty(self) -> Iterator[str]:
        """What who delivers was told that does not follow from sums."""
        others = [*self._agents, *self._managers]
        for name in SUMS:
            yield from self._sums(name, self._last, others)
        yield from self._remainder()
        yield from self._told(self._last)

    def told_others(self) -> Iterator[str]:
        """What agents and managers were told that does not follow from sums, or is not theirs."""
        for address in self._managers:
            for name in SUMS:
                yield from self._sums(name, address, self._agents)
        yield from self._left_over()
        yield from self._set_points()
        for address in (*self._agents, *self._managers):
            yield from self._told(address)

    def _replay(self) -> None:
        quotes = self._log.received("quote", self._last)
        self._common = {
            name: self._log.values(quotes, name)
            for name in ("step", "memory_slot", "mixing_weights")
        }
        rounds, count = len(quotes), len(self._opening)
        size, said, spoken = np.zeros(count), np.zeros((rounds, count)), np.zeros((rounds, count))
        for address, own in self._own.items():
            size[own] += self._said("enrolment", "size", address)[0]
            offers = self._said("offer", "quantity", address)
            said[:, own] += offers
            spoken[:, own] += np.abs(offers)
        self._imbalance = said / size
        self._price = np.tile(self._opening, (rounds, 1))
        self._clearing = np.zeros((rounds, count))
        memory = np.zeros((self._common["mixing_weights"].shape[1], count))
        for number in range(rounds):
            if number:
                memory[int(self._common["memory_slot"][number, 0])] = self._clearing[number - 1]
                self._price[number] = self._common["mixing_weights"][number] @ memory
            step = self._common["step"][number] * self._imbalance[number]
            self._clearing[number] = self._price[number] + step
        self._scales = {
            "price": float(np.abs(self._clearing).max()),
            "imbalance": float((spoken / size).max()),
        }

    def _told(self, address: int) -> Iterator[str]:
        """Prices, imbalances and the rules of mixing, quote by quote, and the closing price."""
        own, before = self._own[address], np.roll(self._imbalance, 1, axis=0)
        before[0] = 0.0
        expected = {"price": self._price[:, own], "imbalance": before[:, own], **self._common}
        quotes = self._log.received("quote", address)
        for name, values in expected.items():
            scale = self._scales.get(name, 0.0)
            yield from self._differ(self._log.values(quotes, name), values, scale, address, name)
        closing = self._log.values(self._log.received("closing", address), "price")
        price = self._clearing[-1:, own]
        yield from self._differ(closing, price, self._scales["price"], address, "closing price")

    def _set_points(self) -> Iterator[str]:
        """Agents must hear how who delivers sets inverters, each of its own place, once."""
        said = {one: self._log.sent("set points", one) for one in self._place_of}
        if not any(map(len, said.values())):
            return
        for operator, place_of in self._place_of.items():
            share = np.zeros((1 + max(place_of.values()), self._slots))
            if len(said[operator]):
                words = self._log.values(said[operator], "reactive_share")[-1]
                share = words.reshape(-1, self._slots)
            for address, place in place_of.items():
                told = self._log.received("set points", address)
                if len(told) != 1:
                    yield f"{self._log.topic}: set points told {len(told)} times at {address}"
                    continue
                values = self._log.values(told, "reactive_share")
                yield from self._differ(values, share[None, place], 0.0, address, "set points")

    def _sums(self, name: str, address: int, others: Sequence[int]) -> Iterator[str]:
        """Enrolment sums must be those of what others said when they enrolled."""
        total, scale = np.zeros(len(self._opening)), 0.0
        for other in others:
            values = self._said("enrolment", name, other)[0]
            total[self._own[other]] += values
            scale += float(np.abs(values).sum())
        told = self._log.values(self._log.received("enrolment sums", address), name)
        yield from self._differ(told, total[None, self._own[address]], scale, address, name)

    def _committed(self, turn: int) -> tuple[Floats, float]:
        """(K,) sums of the first or last (0, -1) commitments, and what was added."""
        total, scale = np.zeros(len(self._opening)), 0.0
        for address in (*self._agents, *self._managers):
            values = self._said("commitment", "quantity", address)[turn]
            total[self._own[address]] += values
            scale += float(np.abs(values).sum())
        return total, scale

    def _remainder(self) -> Iterator[str]:
        total, scale = self._committed(-1)
        told = self._log.values(self._log.received("remainder", self._last), "quantity")
        expected = -total[None, self._own[self._last]]
        yield from self._differ(told, expected, scale, self._last, "remainder")

    def _left_over(self) -> Iterator[str]:
        """Managers hear of their own commodities alone, in equal shares."""
        if not self._managers:
            return
        total, scale = self._committed(0)
        takers = np.zeros_like(total)
        for address in self._managers:
            takers[self._own[address]] += 1.0
        left = -total / np.maximum(takers, 1.0)
        left[self._own[self._last]] = 0.0
        for address in self._managers:
            told = self._log.values(self._log.received("left over", address), "quantity")
            yield from self._differ(told, left[None, self._own[address]], scale, address, "left")

    def _said(self, kind: str, name: str, address: int) -> Floats:
        return self._log.values(self._log.sent(kind, address), name)

    def _differ(
        self, told: Floats, expected: Floats, scale: float, address: int, what: str
    ) -> Iterator[str]:
        if told.shape != expected.shape or differ(told, expected, scale):
            yield (
                f"{self._log.topic}: the {what} told at address {address} does not follow from sums"
            )


def commodities_of(everybody: Sequence[Members], count: int) -> dict[int, Integers]:
    """Address -> numbers of the commodities that its owner trades, of `count` in all."""
    own: dict[int, Integers] = {}
    for members in everybody:
        lists = Bench(members).own(np.arange(count, dtype=np.float64))
        own |= dict(zip(members.addresses.tolist(), lists.astype(np.int64), strict=True))
    return own
