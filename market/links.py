"""The links that messages travel on."""

from dataclasses import dataclass

import networkx as nx
import numpy as np

from nashgrid.market.messages import Floats, Integers


@dataclass(frozen=True)
class Links:
    """L links, each good for both directions.

    Parameters
    ----------
    one, other : (L,) addresses of the ends
    latency_s : (L,) least delay of a message [s]
    jitter_s : (L,) mean of the exponential part of the delay [s]
    loss : (L,) probability that a transmission, or an acknowledgement, is lost; in [0, 1)

    Raises
    ------
    ValueError
        If a value is out of bounds.
    """

    one: Integers
    other: Integers
    latency_s: Floats
    jitter_s: Floats
    loss: Floats

    def __post_init__(self) -> None:
        if np.any(self.latency_s < 0) or np.any(self.jitter_s < 0):
            raise ValueError("latency_s and jitter_s of a link must be at least 0 s")
        if np.any((self.loss < 0) | (self.loss >= 1)):
            raise ValueError("loss of a link must lie in [0, 1)")


def links_of(graph: nx.Graph) -> Links:
    """The edges of a graph over addresses, with their ``latency_s``, ``jitter_s`` and ``loss``."""
    ends = np.array(list(graph.edges), dtype=np.int64).reshape(-1, 2)
    values = [[d["latency_s"], d["jitter_s"], d["loss"]] for _, _, d in graph.edges(data=True)]
    return Links(*ends.T, *np.array(values, dtype=np.float64).reshape(-1, 3).T)
