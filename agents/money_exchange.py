"""The cloud of an exchange of money, whose step follows from what is to be shared."""

from dataclasses import replace

from nashgrid.agents.cloud import Cloud
from nashgrid.market.settlement import SMALLEST_SHARE


class MoneyCloud(Cloud):
    """Opens at the price that shares the surplus: rho = (A / S)^2, price = A / S.

    A is the sum of the bargaining weights and S the surplus, the sum of all savings. At the
    solution every agent's -a log(gain) has curvature a (A / (a S))^2 = rho / a, so sizes equal
    to the weights make the step fit every scale of money.
    """

    @property
    def has_surplus(self) -> bool:
        """Whether the savings are more than a micro-unit for each member."""
        return float(self._total("saving")[0]) > SMALLEST_SHARE * self.member_count

    def open_exchange(self) -> bool:
        """Fix step and opening price from the enrolments.

        False where there is nothing to negotiate, or nobody has a weight: then everybody comes
        out even.
        """
        surplus = float(self._total("saving")[0])
        weight = float(self._total("weight")[0])
        if not self.has_surplus or weight <= 0:
            return False
        self.rules = replace(self.rules, step=(weight / surplus) ** 2)
        self._opening_price[:] = weight / surplus
        return super().open_exchange()
