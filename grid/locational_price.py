"""A locational price: the multiplier of each bus's balance, and the parts it is made of."""

from __future__ import annotations

from dataclasses import dataclass

from nashgrid.grid.feeder import FloatArray


@dataclass(frozen=True, eq=False)
class LocationalPrice:
    """Price at every bus (n,), and the parts that add up to it; currency/kWh or /kvarh.

    Attributes
    ----------
    total : multiplier of the power balance of the bus.
    energy : the price at the root.
    loss : what the losses add that one more unit taken at the bus causes.
    congestion, voltage : what the line and the voltage limits add.
    """

    total: FloatArray
    energy: FloatArray
    loss: FloatArray
    congestion: FloatArray
    voltage: FloatArray

    @property
    def remainder(self) -> FloatArray:
        """What the parts leave unexplained: zero but for the solver's tolerance."""
        return self.total - self.energy - self.loss - self.congestion - self.voltage
