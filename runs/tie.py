"""A tie between two feeders, and the wires of a feeder that ends in one."""

from dataclasses import dataclass, fields, replace

import numpy as np

from nashgrid.grid.terminal import with_terminal
from nashgrid.market.messages import Floats
from nashgrid.runs.grid_operator import GridOperator
from nashgrid.runs.plain_market import require_plain
from nashgrid.runs.scenario import Scenario
from nashgrid.runs.wires import Wires, lay_wires


@dataclass(frozen=True)
class Tie:
    """A line between buses of two feeders whose active flow can be set (a soft open point).

    A converter between its halves sets the flow and holds the voltages of either side apart, so
    each half belongs to its own feeder: a line with half the impedance, that ends at a terminal.
    What flows into one terminal comes out of the other.

    Parameters
    ----------
    first_bus, second_bus : where it begins on the first feeder, and ends on the second
    limit_kw : largest flow, either way
    resistance_pu, reactance_pu : of the whole line, on the base of each feeder

    Raises
    ------
    ValueError
        If the limit is not positive.
    """

    first_bus: int
    second_bus: int
    limit_kw: float
    resistance_pu: float = 1e-3
    reactance_pu: float = 1e-3

    def __post_init__(self) -> None:
        if not 0 < self.limit_kw < np.inf:
            raise ValueError(f"tie: limit_kw = {self.limit_kw} kW must be positive and finite")


@dataclass(frozen=True)
class TiedWires(Wires):
    """Wires whose last place is the terminal of a tie.

    Parameters
    ----------
    tie_kw : largest flow into it, either way
    """

    tie_kw: float = 0.0

    def operator(self, topic: str, demand_limit_kw: Floats) -> GridOperator:
        """The operator's problem; at the terminal the tie is the limit (half: it is doubled)."""
        limits = demand_limit_kw.copy()
        limits[-1] = self.tie_kw / 2
        return super().operator(topic, limits)


def tied_wires(scenario: Scenario, bus: int, tie: Tie) -> TiedWires:
    """The wires of a scenario with half of a tie at a bus of its feeder.

    Raises
    ------
    ValueError
        If the scenario has no feeder or a population, or there is no such bus.
    """
    if scenario.feeder is None or scenario.population is not None:
        raise ValueError(
            f"tie: scenario {scenario.name} needs a feeder, and stated agents instead of a "
            "population"
        )
    require_plain(scenario, f"tie: scenario {scenario.name}: an exchange with a tie")
    plain = lay_wires(scenario)
    if plain.feeder is None:
        raise ValueError(f"tie: scenario {scenario.name} has no feeder")
    feeder, terminal = with_terminal(
        plain.feeder, bus, tie.resistance_pu / 2, tie.reactance_pu / 2, tie.limit_kw
    )
    longer = np.hstack([plain.reactive_kvar, np.zeros((len(plain.reactive_kvar), 1))])
    own = {field.name: getattr(plain, field.name) for field in fields(plain)}
    wires = TiedWires(**own, tie_kw=tie.limit_kw)
    return replace(wires, feeder=feeder, places=(*plain.places, terminal), reactive_kvar=longer)
