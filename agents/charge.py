"""A charge for each kWh bought or sold, which may change from one exchange to the next."""

import cvxpy as cp

from nashgrid.market.messages import Floats


class Charge:
    """c |p| in the cost of a local problem, with c a parameter: dt (c p+ + c p-).

    It stands where a tariff would: what is bought costs c, what is sold "earns" -c.

    Parameters
    ----------
    per_kwh : (T,) c to begin with, at least 0 [currency/kWh]
    """

    def __init__(self, per_kwh: Floats) -> None:
        self._parameter = cp.Parameter(len(per_kwh), name="charge_per_kwh", value=per_kwh)

    @property
    def retail_price_per_kwh(self) -> cp.Expression:
        """(T,) what buying costs [currency/kWh]."""
        return self._parameter

    @property
    def feed_in_price_per_kwh(self) -> cp.Expression:
        """(T,) what selling earns [currency/kWh]."""
        return -self._parameter

    def change(self, per_kwh: Floats) -> None:
        """Take another (T,) charge [currency/kWh]."""
        self._parameter.value = per_kwh
