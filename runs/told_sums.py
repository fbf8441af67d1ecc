"""What was told, held to what the agents had said: sums to who delivers, own prices to agents."""

from collections.abc import Iterator

import numpy as np

from nashgrid.market.messages import Floats, Integers
from nashgrid.runs.message_log import EXACTNESS, MessageLog, differ


def wrong_sums(log: MessageLog, place: Integers) -> Iterator[str]:
    """Sums of enrolments and remainders that are not those over the agents, a sentence each.

    Parameters
    ----------
    log : of an exchange, with all content
    place : (n,) where each agent trades
    """
    for kind, heard, sign in (("enrolment sums", "enrolment", 1), ("remainder", "commitment", -1)):
        rows, said = log.to_counterparty(kind), log.of_prosumers(heard)
        for name in log.fields(rows):
            values = log.values(said, name)
            sums = sign * sum_at_places(log, said, values, place)
            if differ(log.values(rows, name)[0], sums, float(np.abs(values).sum())):
                yield f"{log.topic}: {name} of the {kind} is not the sum over the agents"


def sum_at_places(log: MessageLog, rows: Integers, values: Floats, place: Integers) -> Floats:
    """(K,) sums of what prosumers said, by place."""
    sums = np.zeros((1 + int(place.max()), values.shape[1]))
    np.add.at(sums, place[log.sender(rows) - 1], values)
    return sums.ravel()


def told_otherwise(
    log: MessageLog, rows: Integers, name: str, own: Floats, scale: float
) -> Iterator[str]:
    """Messages whose field is not what belongs to the receiver's own place, a sentence each.

    Parameters
    ----------
    rows : of messages to prosumers
    own : (rows, width) what belongs there
    """
    wrong = ~(np.abs(log.values(rows, name) - own) <= EXACTNESS * scale).all(axis=1)
    for row in rows[wrong]:
        yield (
            f"{log.topic}: the {name} told the agent at address {log.receiver[row]} is not "
            "that of its own place"
        )


def at_own_place(log: MessageLog, rows: Integers, values: Floats, place: Integers) -> Floats:
    """(rows, width) of (rows, K) values by place, those of each receiver's place."""
    at_places = values.reshape(len(rows), 1 + int(place.max()), -1)
    return np.asarray(at_places[np.arange(len(rows)), place[log.receiver[rows] - 1]])
