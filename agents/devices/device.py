"""What every device gives to its owner's problem."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import cvxpy as cp


@dataclass(frozen=True)
class Horizon:
    """The slots of a day: how many, and how long each is in hours."""

    slots: int
    slot_hours: float


@dataclass(frozen=True)
class Contribution:
    """A device's part of the local problem.

    Parameters
    ----------
    consumption_kw : (T,) net power the device draws; negative when it feeds in [kW]
    cost : over the horizon [currency]
    constraints : on its own variables
    variables : its decisions by name, each (T,), with the unit in the name
    """

    consumption_kw: cp.Expression
    cost: cp.Expression = field(default_factory=lambda: cp.Constant(0.0))
    constraints: Sequence[cp.Constraint] = ()
    variables: Mapping[str, cp.Variable] = field(default_factory=dict)


class Device(Protocol):
    """A part of an agent: it contributes variables, constraints and cost."""

    @property
    def name(self) -> str:
        """Unique within its owner."""
        ...

    def contribute(self, horizon: Horizon) -> Contribution:
        """State the device as mathematics over the horizon."""
        ...
