"""Inverters whose reactive power the operator sets."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nashgrid.grid.checked_array import checked_array
from nashgrid.grid.feeder import Feeder, FloatArray, IntArray


@dataclass(frozen=True, eq=False)
class Inverters:
    """Reactive power that the operator may set at some buses, in every slot.

    Parameters
    ----------
    buses : (Q,) labels
    limit_kvar : (Q,) most that those at a bus take or give together, whatever their active power
    """

    buses: IntArray
    limit_kvar: FloatArray

    def check(self, feeder: Feeder) -> None:
        """Refuse buses that the feeder lacks or that come twice, and limits without a meaning.

        Raises
        ------
        ValueError
            Names the bus, or the limit.
        """
        feeder.bus_positions(self.buses)
        if len(set(self.buses.tolist())) < len(self.buses):
            raise ValueError(f"a bus with inverters is there twice: {self.buses.tolist()}")
        checked_array("limit_kvar", self.limit_kvar, self.buses.shape, least=0.0)


NO_INVERTERS = Inverters(np.zeros(0, dtype=np.int64), np.zeros(0))
