"""The trading agent: one agent of the model, with an address of its own."""

import mesa
import numpy as np

from nashgrid.agents.speaker import Speaker


class TradingAgent(Speaker, mesa.Agent):
    """An autonomous agent that speaks for itself.

    Parameters
    ----------
    model : the Mesa model it lives in
    name : unique within the scenario
    speaks_for : agents that it speaks for; the next agent's address leaves room for theirs
    """

    def __init__(self, model: mesa.Model, name: str, speaks_for: int = 1) -> None:
        mesa.Agent.__init__(self, model)
        room = getattr(model, "room_left", 0)
        self.unique_id += room
        model.room_left = room + speaks_for - 1
        Speaker.__init__(self, name, np.array([self.unique_id]))
