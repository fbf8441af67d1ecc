"""Where each number of a building stands in the tables of its block.

A block holds as many agents as there are lanes, all of one :class:`Shape`.  A table of a block has
one row per number and one column per agent; the numbers of one slot stand together, so that a pass
over the slots reads memory in order.

Units inside the kernel: kW, with one slot as the unit of time.  An energy of x kWh is x / dt
"kW slots", a cost of x currency is x / dt; the slot length dt then appears nowhere.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Shape:
    """The device set shared by the agents of a class, and the rows of their tables.

    Parameters
    ----------
    batteries : int
        Storages per building (battery or electric vehicle), K.
    shiftables : int
        Shiftable loads per building, M.
    flat : bool
        Whether some of these devices have too little curvature of their own, and are drawn
        towards their last answer.
    """

    batteries: int
    shiftables: int
    flat: bool

    # Table of data, rows that hold for the whole day. A *pull* is the weight of the proximal term
    # towards the own last answer, a curvature like the others.
    SIZE = 0
    CONNECTION = 1
    CURTAIL_PULL = 2
    TOLERANCE = 3
    DAY_ROWS = 4

    ETA, INVERSE_ETA, CURVATURE, WEAR, PULL, STORED_PULL = range(6)
    BATTERY_ROWS = 6

    LOAD_CURVATURE, LOAD_ENERGY, LOAD_PULL = range(3)
    SHIFTABLE_ROWS = 3

    def battery(self, k: int) -> int:
        """First row of battery k."""
        return self.DAY_ROWS + self.BATTERY_ROWS * k

    def shiftable(self, m: int) -> int:
        """First row of shiftable load m."""
        return self.battery(self.batteries) + self.SHIFTABLE_ROWS * m

    @property
    def data_rows(self) -> int:
        """Rows of the table of data."""
        return self.shiftable(self.shiftables)

    # Table of multipliers: one per shiftable load, then per slot the price of energy in the
    # building and the value of stored energy per battery; a last slot of zeros ends the horizon.
    @property
    def price_rows(self) -> int:
        """Multipliers per slot."""
        return 1 + self.batteries

    def multiplier_rows(self, slots: int) -> int:
        """Rows of the table of multipliers."""
        return self.shiftables + (slots + 1) * self.price_rows

    # Table of the last answer (single precision), per slot: curtailment, stored energies.
    @property
    def answer_rows(self) -> int:
        """Rows of the last answer per slot."""
        return 1 + self.batteries

    # Table of the last answer of devices with too little curvature of their own, per slot: charge
    # and discharge per battery, then the shiftable loads.
    @property
    def flat_rows(self) -> int:
        """Rows of the flat devices' last answer per slot."""
        return 2 * self.batteries + self.shiftables

    # Table of bounds, per entry of a battery: charge, discharge, lowest and highest energy.
    BOUND_ROWS = 4

    # Table of work, per slot. First the trade at price zero, where it buys and where it sells (the
    # latter only where selling has a price of its own); net load and available generation; and
    # the answers (trade, curtailment, stored energies, charge and discharge, shiftable loads), then
    # the step in the multipliers ...
    OFFSET, SALE, NET, AVAILABLE, TRADE, CURTAILMENT = range(6)

    @property
    def powers(self) -> int:
        """Row of work of the first charging power (kept for flat devices only)."""
        return self.CURTAILMENT + self.answer_rows

    @property
    def step(self) -> int:
        """Row of work of the first step."""
        return self.powers + self.flat_rows

    # ... then the factors of the elimination.
    @property
    def balance_factor(self) -> int:
        """Row of work of the balance's factors."""
        return self.step + self.price_rows

    @property
    def storage_factor(self) -> int:
        """Row of work of the storage rows' factors."""
        return self.balance_factor + 1 + self.batteries + self.shiftables

    # ... then what the preference of each shiftable load is worth at the margin, and its largest
    # power.
    def preference(self, m: int) -> int:
        """Row of work of a shiftable load's preference; its largest power is in the next."""
        count = self.batteries
        return self.storage_factor + count * (1 + count + self.shiftables) + 2 * m

    @property
    def work_rows(self) -> int:
        """Rows of work per slot."""
        return self.preference(self.shiftables)


# Table of control: what a pass is told and what it tells, one row each.
GUARD = 0  # 1 / D, the inverse of the largest move of a singular group's price
RATIO = 1  # slope of the trade per unit of size, 1 / rho
FACTOR = 2  # share of the step to take; 0 for a lane that is done
FRESH = 3  # 1: take the new step; 0: go on along the old one
LOOSENESS = 4  # scale of the pulls
RESIDUAL = 5  # largest violation of a balance, kW
DECREMENT = 6  # slope of the dual along the new step
ALONG = 7  # slope of the dual along the step being taken
BORDER = 8  # the new step of the shiftable loads' multipliers, at most MOST_SHIFTABLES
MOST_SHIFTABLES = 4
OLD_BORDER = BORDER + MOST_SHIFTABLES  # the step being taken
STIFFNESS = BORDER  # of the assessment: rho, 0 for a price taker ...
COST = BORDER + 1  # ... the cost of the devices ...
BOUND = BORDER + 2  # ... and the value of the dual
CONTROL_ROWS = OLD_BORDER + MOST_SHIFTABLES
