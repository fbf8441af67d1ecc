"""Who learnt what in an exchange over two tied feeders: every word of the cloud held to sums."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from nashgrid.market.messages import Integers
from nashgrid.market.topics import TRADING
from nashgrid.runs.claims import claim
from nashgrid.runs.layered_audit import SUMS, LayeredReplay, commodities_of
from nashgrid.runs.message_audit import Audit, found
from nashgrid.runs.message_log import MessageLog
from nashgrid.runs.roster import roster
from nashgrid.runs.tied.seating import tied_members, tied_opening_price
from nashgrid.runs.tied.tie import TiedWires


def audit_claims(messages: pa.Table, wires: Sequence[TiedWires]) -> dict[str, dict[str, Any]]:
    """Nobody was told more than follows from sums: no operator anything of the other's wires.

    Nor is a sum over one participant where the scenario does not allow it.
    """
    places = [own.place_of(roster(own.scenario, None)["bus"]) for own in wires]
    agents = sum(len(own) for own in places)
    log = MessageLog(messages, TRADING, agents, 0, counterparties=len(wires))
    replay = TiedReplay(log, wires, places)
    given_away = [told for own in wires for told in sums_told(own).to_counterparty]
    to_operators = [*log.undeclared("counterparty"), *replay.told_operators(), *given_away]
    to_agents = [*log.undeclared("prosumer"), *replay.told_agents()]
    return {
        "messages: operators": claim(
            len(to_operators),
            0,
            "statements that tell an operator more than prices, and sums over the agents at each "
            "of its own places, and what its neighbour takes",
        ),
        "messages: agents": claim(
            len(to_agents),
            0,
            "statements that tell agents more than prices of their own place and what follows from "
            "sums",
        ),
    }


def sums_told(wires: TiedWires) -> Audit:
    """Who is alone at a place of a feeder, and which buses are reported at another."""
    return found((), (), wires, roster(wires.scenario, None))


class TiedReplay(LayeredReplay):
    """What should have been said, from what the cloud had heard.

    Parameters
    ----------
    log : of the exchange
    wires : of both feeders
    places : (n,) which of the places of its feeder each agent is at, feeder by feeder; the
        addresses of the operators follow those of all agents
    """

    def __init__(
        self, log: MessageLog, wires: Sequence[TiedWires], places: Sequence[Integers]
    ) -> None:
        self._log, agents = log, sum(map(len, places))
        self._agents, self._managers = range(1, agents + 1), range(0)
        self._operators = self._last, _ = agents + 1, agents + 2
        self._opening = tied_opening_price(wires)
        self._own = commodities_of(tied_members(wires, places), len(self._opening))
        self._slots, addresses = wires[0].scenario.horizon.slots, iter(self._agents)
        self._place_of = {
            operator: {address: at for at, address in zip(place.tolist(), addresses, strict=False)}
            for operator, place in zip(self._operators, places, strict=True)
        }
        self._replay()

    def told_operators(self) -> Iterator[str]:
        """What the operators were told that does not follow from sums, or is not theirs."""
        committed, scale = self._committed(-1)
        # The first operator also commits itself: to the flow.
        proposal = self._said("commitment", "quantity", self._last)[-1]
        committed[self._own[self._last]] += proposal
        scale += float(np.abs(proposal).sum())
        for operator in self._operators:
            for name in SUMS:
                yield from self._sums(name, operator, self._agents)
            yield from self._told(operator)
            told = self._log.values(self._log.received("remainder", operator), "quantity")
            expected = -committed[None, self._own[operator]]
            yield from self._differ(told, expected, scale, operator, "remainder")

    def told_agents(self) -> Iterator[str]:
        """What agents were told that does not follow from sums, or is not theirs."""
        for address in self._agents:
            yield from self._told(address)
        yield from self._set_points()
