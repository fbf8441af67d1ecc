"""Who learnt what while charges were settled, and whether the prices follow from it.

The operator hears sums over the agents at each place, the agents prices of their own place. What
the operator announces follows from its rule and the sums alone: the audit lets the rule go its
course again.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from nashgrid.agents.charge_course import ChargeCourse
from nashgrid.market.messages import Floats, Integers
from nashgrid.runs.charge_outcome import agent_places
from nashgrid.runs.charge_terms import ChargeTerms, topic_of
from nashgrid.runs.message_log import MessageLog, differ
from nashgrid.runs.told_sums import at_own_place, told_otherwise, wrong_sums
from nashgrid.runs.wires import Wires


@dataclass(frozen=True)
class ChargeAudit:
    """What an audit of one rule found.

    Parameters
    ----------
    to_operator, to_prosumers : what was told that should not be, a sentence each
    course : the rule as it goes when it hears the sums of the log
    off_course : largest difference of what was announced from it, prices relative to the pace
    closing_per_kwh : (T, B) the prices that the operator closed with
    committed_kw : (n, T) what the agents committed to
    """

    to_operator: tuple[str, ...]
    to_prosumers: tuple[str, ...]
    course: ChargeCourse
    off_course: float
    closing_per_kwh: Floats
    committed_kw: Floats


def audit_all(
    messages: pa.Table, rules: Sequence[str], wires: Wires, terms: ChargeTerms
) -> dict[str, ChargeAudit]:
    """Audit the messages of all rules: rule -> what was found; raises as `audit_charges`."""
    return {rule: audit_charges(messages, rule, wires, terms) for rule in rules}


def audit_charges(messages: pa.Table, rule: str, wires: Wires, terms: ChargeTerms) -> ChargeAudit:
    """Audit the messages of a rule.

    Raises
    ------
    ValueError
        If the messages are not those of a rule that was run from enrolment to closing.
    """
    place = agent_places(wires)
    log = MessageLog(messages, topic_of(rule), len(place), 0)
    kinds = ("enrolment sums", "offer sums", "remainder")
    if not all(len(log.to_counterparty(kind)) for kind in kinds):
        raise ValueError(f"{log.topic}: the messages to the operator are not all there")
    told = _Told(log, place)
    course, off = _again(told, rule, wires, terms)
    return ChargeAudit(
        (*log.undeclared("counterparty"), *wrong_sums(log, place), *told.wrong_offer_sums()),
        (*log.undeclared("prosumer"), *told.to_others(terms.pace_per_kwh)),
        course,
        off,
        _by_slot(told.closing, wires),
        told.committed(),
    )


class _Told:
    """What was announced, offered and told, round by round.

    Attributes
    ----------
    announced : (R, K) by field: what the operator announced
    closing : (K,) the prices that it closed with
    sums : (R, K) what it was told that the offers come to
    """

    def __init__(self, log: MessageLog, place: Integers) -> None:
        self.log, self._place = log, place
        rows = log.of_counterparty("announcement")
        self.announced = {name: log.values(rows, name) for name in log.fields(rows)}
        self.closing = log.values(log.of_counterparty("closing"), "price")[0]
        told = log.to_counterparty("offer sums")
        self.sums, self._step = log.values(told, "quantity"), log.step[told]

    def committed(self) -> Floats:
        """(n, T) the commitments, in the order of addresses."""
        rows = self.log.of_prosumers("commitment")
        return self.log.values(rows[np.argsort(self.log.sender(rows))], "quantity")

    def wrong_offer_sums(self) -> Iterator[str]:
        """Rounds whose sums are not those of the offers."""
        log = self.log
        rows = log.of_prosumers("offer")
        values, turn = log.values(rows, "quantity"), np.searchsorted(self._step, log.step[rows])
        sums, scale = np.zeros((2, len(self._step), 1 + self._place.max(), values.shape[1]))
        at = turn, self._place[log.sender(rows) - 1]
        np.add.at(sums, at, values)
        np.add.at(scale, at, np.abs(values))
        for number, told in enumerate(self.sums):
            if differ(told, sums[number].ravel(), float(scale[number].sum())):
                yield f"{log.topic}: round {number + 1}: the offer sums are not those of the offers"

    def to_others(self, pace_per_kwh: float) -> Iterator[str]:
        """What agents were told beside the operator's prices at their own place."""
        log = self.log
        quotes, closings = log.to_prosumers("quote"), log.to_prosumers("closing")
        turn = np.searchsorted(self._step, log.step[quotes])
        heard = [(quotes, name, values[turn]) for name, values in self.announced.items()]
        closing = np.repeat(self.closing[None], len(closings), axis=0)
        for rows, name, values in (*heard, (closings, "price", closing)):
            own = at_own_place(log, rows, values, self._place)
            yield from told_otherwise(log, rows, name, own, float(np.abs(values).max()))
        known = {"step": pace_per_kwh, "mixing_weights": 1.0, "memory_slot": -1.0 * (turn == 0)}
        for name, expected in known.items():
            if (log.values(quotes, name)[:, 0] != expected).any():
                yield f"{log.topic}: the {name} of a quote is not what everybody knows"


def _again(told: _Told, rule: str, wires: Wires, terms: ChargeTerms) -> tuple[ChargeCourse, float]:
    """The rule's course on the sums of the log, and how far what was announced is off it."""
    log = told.log
    row = log.to_counterparty("enrolment sums")
    limits, sizes = (
        _by_slot(log.values(row, name)[0], wires) for name in ("connection_kw", "size")
    )
    delivery = wires.operator(log.topic, limits.max(axis=0))
    course = terms.course(rule, terms.grid(delivery, sizes[0]))
    off, scale = 0.0, {"price": terms.pace_per_kwh, "imbalance": 1.0}
    for number, sums in enumerate(told.sums):
        if course.finished:
            raise ValueError(f"{log.topic}: prices were announced after the rule had ended")
        for name, values in course.announcement.items():
            announced = _by_slot(told.announced[name][number], wires)
            off = max(off, _apart(values, announced) / scale[name])
        course.hear(_by_slot(sums, wires))
    if not course.finished:
        raise ValueError(f"{log.topic}: the prices were closed before the rule had ended")
    closing = _by_slot(told.closing, wires)
    return course, max(off, _apart(course.answered_per_kwh, closing) / scale["price"])


def _by_slot(commodities: Floats, wires: Wires) -> Floats:
    """(B T,) by commodity -> (T, B)."""
    return commodities.reshape(len(wires.places), -1).T


def _apart(one: Floats, other: Floats) -> float:
    return float(np.abs(one - other).max())
