"""The links of the members of an exchange, as a scenario has them."""

from collections.abc import Mapping

import numpy as np

from nashgrid.market.messages import Floats
from nashgrid.runs.scenario import MessagesEntry


def link_properties(usual: MessagesEntry, row: Mapping[str, int], members: int) -> list[Floats]:
    """Least delay [s], mean random delay [s] and loss of the link of each member, (n,) each.

    Parameters
    ----------
    row : which of the members the agents are that may have a link of their own
    members : how many there are
    """
    properties = []
    for name in ("latency_s", "jitter_s", "loss"):
        values = np.full(members, getattr(usual, name))
        for link in usual.links:
            own = getattr(link, name)
            if own is not None:
                values[row[link.agent]] = own
        properties.append(values)
    return properties
