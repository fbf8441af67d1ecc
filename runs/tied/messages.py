"""The messages of an exchange over two feeders, as each of the feeders would have them alone."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import pyarrow as pa

_COLUMNS = ["topic", "kind", "sender", "receiver", "price", "quantity", "count", "reactive_share"]


def said_in_feeders(messages: pa.Table, rosters: Sequence[pd.DataFrame]) -> list[pa.Table]:
    """What was said to and by the members of each feeder, addresses counted within it.

    The agents of the first feeder have the addresses from 1 on, after them those of the second,
    then the two operators. What the first operator committed to send over the tie stands in the
    place of the remainder there: it is what it takes.

    Parameters
    ----------
    rosters : of both feeders, one row per agent
    """
    said = messages.select(_COLUMNS).to_pandas()
    agents = sum(len(roster) for roster in rosters)
    tables, before = [], 0
    for number, roster in enumerate(rosters, start=1):
        own = {before + row: row for row in range(1, len(roster) + 1)}
        operator = len(roster) + 1
        tables.append(_said_in_feeder(said, own | {agents + number: operator}, operator))
        before += len(roster)
    return tables


def _said_in_feeder(said: pd.DataFrame, own: dict[int, int], operator: int) -> pa.Table:
    """Messages of the addresses in `own`, which become the numbers there; the cloud is 0."""
    sender, receiver = said["sender"].map(own), said["receiver"].map(own)
    mine = sender.notna() | receiver.notna()
    renumbered = said.assign(sender=sender.fillna(0), receiver=receiver.fillna(0))[mine]
    proposes = (renumbered["kind"] == "commitment") & (renumbered["sender"] == operator)
    rows = renumbered[~proposes].copy()
    if proposes.any():
        told, proposed = rows["kind"] == "remainder", renumbered.loc[proposes, "quantity"].iloc[-1]
        rows["quantity"] = [
            np.where(proposed != 0.0, proposed, quantity) if is_rest else quantity
            for is_rest, quantity in zip(told, rows["quantity"])
        ]
    return pa.Table.from_pandas(rows, preserve_index=False)
