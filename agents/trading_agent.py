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
    """

    def __init__(self, model: mesa.Model, name: str) -> None:
        mesa.Agent.__init__(self, model)
        Speaker.__init__(self, name, np.array([self.unique_id]))
