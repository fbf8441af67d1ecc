"""Which messages of a run stay with its outcome."""

from collections.abc import Sequence

import pyarrow as pa

from nashgrid.market.message_network import Transmission
from nashgrid.market.topics import CHARGE_TRIAL, STACKELBERG
from nashgrid.runs.tables import messages_table

OF_AN_ACCOUNT = ("charge", "closing", "remainder", "volume")
"""What a leader says and hears of a charge on trial: all that its account is drawn up from."""


def kept_messages(
    log: Sequence[tuple[int, Transmission]], exchanges: Sequence[str], leader: int
) -> pa.Table:
    """The messages of the exchanges of a market, see `messages_table`.

    Of charges on trial only the leader's account is kept: quotes and offers would fill megabytes.

    Parameters
    ----------
    leader : address of the counterparty
    """
    if STACKELBERG not in exchanges:
        return messages_table([one for one in log if one[1].messages.topic in exchanges])
    own = [
        one
        for one in log
        if one[1].messages.topic in exchanges
        or (one[1].messages.topic == CHARGE_TRIAL and one[1].messages.kind in OF_AN_ACCOUNT)
    ]
    table = messages_table(own)
    others = pa.compute.not_equal(table["topic"].cast(pa.string()), CHARGE_TRIAL)
    to_leader = pa.compute.equal(table["receiver"], leader)
    of_leader = pa.compute.equal(table["sender"], leader)
    return table.filter(pa.compute.or_(others, pa.compute.or_(to_leader, of_leader)))
