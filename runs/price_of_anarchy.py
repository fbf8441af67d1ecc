"""The price of anarchy: what schedules cost over what the best would."""

from nashgrid.market.settlement import MICRO

SMALLEST_OPTIMUM = 1e-2
"""Share of the money that changes hands above which an optimum can be divided by."""


def price_of_anarchy(cost: float, optimum: float, turnover: float) -> float | None:
    """Return cost / optimum; None where the ratio means nothing.

    Parameters
    ----------
    cost, optimum : of the schedules, and of the best [currency]
    turnover : all costs and payments, taken positive [currency]. An optimum below a hundredth of
        it, or a micro-unit, is what large amounts leave of each other, or rounding.

    References
    ----------
    Koutsoupias, Papadimitriou 1999, Worst-case equilibria, STACS.
    """
    telling = optimum > max(SMALLEST_OPTIMUM * turnover, 1 / MICRO)
    return cost / optimum if telling else None
