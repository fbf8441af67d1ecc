"""The coordinator of the exchange of money, whose step follows from what is to be shared."""

from dataclasses import replace

from nashgrid.agents.coordinator import Coordinator


class MoneyCoordinator(Coordinator):
    """Opens at the price that shares the surplus: rho = (A / S)^2, price = A / S.

    A is the sum of the bargaining weights and S the surplus, the sum of all savings. At the
    solution every agent's -a log(gain) has curvature a (A / (a S))^2 = rho / a, so sizes equal
    to the weights make the step fit every scale of money.

    Raises
    ------
    ValueError
        If there is no surplus to share.
    """

    def open_exchange(self) -> None:
        """Fix step and opening price from the enrolments."""
        surplus = float(self._total("saving")[0])
        weight = float(self._total("weight")[0])
        if surplus <= 0:
            raise ValueError(f"there is no surplus to share: the savings sum to {surplus:g}")
        self.rules = replace(self.rules, step=(weight / surplus) ** 2)
        self._opening_price[:] = weight / surplus
        super().open_exchange()
