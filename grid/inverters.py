"""Inverters whose reactive power the operator sets."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nashgrid.grid.checked_array import checked_array
from nashgrid.grid.feeder import FloatArray, IntArray

LEAST_KVAR = 1e-3


@dataclass(frozen=True, eq=False)
class Inverters:
    """Reactive power that the operator may set at some of the trading buses, in every slot.

    Parameters
    ----------
    buses : (Q,) labels
    limit_kvar : (Q,) most that those at a bus take or give together, whatever their active power;
        at least 1 var
    """

    buses: IntArray
    limit_kvar: FloatArray

    def check(self, trading_buses: IntArray) -> None:
        """Refuse buses without trade or that come twice, and limits without a meaning.

        Raises
        ------
        ValueError
            Names the bus, or the limit.
        """
        elsewhere = np.setdiff1d(self.buses, trading_buses)
        if elsewhere.size:
            raise ValueError(f"bus {elsewhere[0]} has inverters, and is no trading bus")
        if len(set(self.buses.tolist())) < len(self.buses):
            raise ValueError(f"a bus with inverters is there twice: {self.buses.tolist()}")
        checked_array("limit_kvar", self.limit_kvar, self.buses.shape, least=LEAST_KVAR)


NO_INVERTERS = Inverters(np.zeros(0, dtype=np.int64), np.zeros(0))
