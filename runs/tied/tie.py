"""A tie between two feeders, and the wires of a feeder that ends in one."""

from dataclasses import dataclass, fields, replace

import numpy as np

from nashgrid.grid.terminal import with_terminal
from nashgrid.market.messages import Floats
from nashgrid.runs.grid_operator import GridOperator
from nashgrid.runs.plain_market import require_plain
from nashgrid.runs.scenario import Scenario
from nashgrid.runs.wire_laying import lay_wires
from nashgrid.runs.wires import Wires

_NEXT_TO_NOTHING_KW = 1e-6


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
    tie_bus : where it begins on this feeder
    """

    tie_kw: float = 0.0
    tie_bus: int = 0

    def operator(self, topic: str, demand_limit_kw: Floats) -> GridOperator:
        """The operator's problem; at the terminal the line of the tie is the limit.

        Of what is delivered there no limit binds, as at any place: it would leave the price two
        multipliers to be explained by.
        """
        limits = demand_limit_kw.copy()
        limits[-1] = self.tie_kw
        return super().operator(topic, limits)

    def price_at_tie(
        self, topic: str, demand_kw: Floats, price: Floats, demand_limit_kw: Floats
    ) -> Floats:
        """(T,) price at the bus where the tie begins, whether or not power is reported there.

        Where none is, the prices of the places explain it: it is the sum of its parts at a place
        where next to nothing may be taken.

        Parameters
        ----------
        demand_kw, price : (T, B) delivered, and its price [currency/kWh]
        demand_limit_kw : (B,) connection limits at the places
        """
        at = int(np.searchsorted(self.places, self.tie_bus))
        if self.places[at] == self.tie_bus:
            return np.asarray(price[:, at])
        places = (*self.places[:at], self.tie_bus, *self.places[at:])
        problem = replace(self, places=places).operator(
            topic, np.insert(demand_limit_kw, at, _NEXT_TO_NOTHING_KW)
        )
        parts = problem.price_parts(
            np.insert(demand_kw, at, 0.0, axis=1), np.insert(price, at, 0.0, axis=1)
        )
        return np.asarray(parts.total[:, at])


def tied_wires(scenario: Scenario, bus: int, tie: Tie) -> TiedWires:
    """The wires of a scenario with half of a tie at a bus of its feeder.

    Raises
    ------
    ValueError
        If the scenario has no feeder or a population, or there is no such bus, or it is the root.
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
    if bus not in plain.feeder.buses:
        raise ValueError(
            f"tie: feeder {plain.feeder.name} of scenario {scenario.name} has no bus {bus}"
        )
    if bus == plain.feeder.root_bus:
        raise ValueError(
            f"tie: bus {bus} is the root of feeder {plain.feeder.name} of scenario "
            f"{scenario.name}: there the utility sells, and a tie must begin at another bus"
        )
    feeder, terminal = with_terminal(
        plain.feeder, bus, tie.resistance_pu / 2, tie.reactance_pu / 2, tie.limit_kw
    )
    own = {field.name: getattr(plain, field.name) for field in fields(plain)}
    wires = TiedWires(**own, tie_kw=tie.limit_kw, tie_bus=bus)
    # At the terminal nobody takes reactive power.
    return replace(
        wires,
        feeder=feeder,
        places=(*plain.places, terminal),
        reactive_kvar=np.hstack([plain.reactive_kvar, np.zeros((len(plain.reactive_kvar), 1))]),
        inverter_kvar=np.append(plain.inverter_kvar, 0.0),
    )


def wires_of_both(scenarios: tuple[Scenario, Scenario], tie: Tie) -> tuple[TiedWires, TiedWires]:
    """The wires of two scenarios, with half of their tie each.

    Raises
    ------
    ValueError
        As `tied_wires`.
    """
    first, second = scenarios
    return tied_wires(first, tie.first_bus, tie), tied_wires(second, tie.second_bus, tie)
