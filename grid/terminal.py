"""A bus at the end of a line of its own, where something new is connected to a feeder."""

from __future__ import annotations

import numpy as np

from nashgrid.grid.feeder import Feeder, make_feeder
from nashgrid.grid.line import Line


def with_terminal(
    feeder: Feeder, bus: int, resistance_pu: float, reactance_pu: float, limit_kva: float
) -> tuple[Feeder, int]:
    """The feeder with a further bus behind `bus`, and the label of that bus: the highest of all.

    Raises
    ------
    ValueError
        If there is no such bus, or the line to the new one is bad.
    """
    terminal = int(feeder.buses.max()) + 1
    feeder.bus_positions([bus])
    line = Line(bus, terminal, resistance_pu, reactance_pu, limit_kva)
    extended = make_feeder(
        name=feeder.name,
        source=feeder.source,
        base_kv=feeder.base_kv,
        base_mva=feeder.base_mva,
        root_bus=feeder.root_bus,
        buses=np.append(feeder.buses, terminal),
        load_kw=np.append(feeder.load_kw, 0.0),
        load_kvar=np.append(feeder.load_kvar, 0.0),
        lines=[*feeder.lines, *feeder.ties, line],
    )
    return extended, terminal
