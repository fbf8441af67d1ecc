"""The prices and targets of a quote as tables, checked."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from nashgrid.agents.population.buildings import Floats


def read_prices(
    price: ArrayLike, sale_price: ArrayLike | None, shape: tuple[int, ...]
) -> tuple[Floats, Floats]:
    """(1, T) or (n, T) what buying costs, and what selling earns; the same where there is one.

    Raises
    ------
    ValueError
        At a wrong shape, or where a sale earns more than buying costs or is not finite; names the
        building, where its price is its own, and the slot.
    """
    prices = _table("price", price, shape)
    if sale_price is None:
        return prices, prices
    sale_prices = _table("sale_price", sale_price, shape)
    good = np.isfinite(sale_prices) & (sale_prices <= prices)
    if not good.all():
        row, slot = np.argwhere(~good)[0]
        where = f"building {row}, slot {slot}" if len(good) > 1 else f"slot {slot}"
        made = (np.broadcast_to(table, good.shape)[row, slot] for table in (sale_prices, prices))
        earned, paid = made
        raise ValueError(
            f"{where}: sale_price is {earned:g} per kWh, but must be finite and at most the price, "
            f"{paid:g} per kWh"
        )
    return prices, sale_prices


def read_target(target: ArrayLike, shape: tuple[int, ...]) -> Floats:
    """(n, T) the targets of a quote."""
    targets = _plain(target)
    if targets.shape != shape:
        raise ValueError(f"target has shape {targets.shape}, but must be {shape}")
    return targets


def _table(name: str, price: ArrayLike, shape: tuple[int, ...]) -> Floats:
    prices = _plain(np.atleast_2d(np.asarray(price, dtype=np.float64)))
    if prices.shape not in ((1, shape[1]), shape):
        raise ValueError(f"{name} has shape {np.shape(price)}, but must be (T,) or (n, T)")
    return prices


def _plain(values: ArrayLike) -> Floats:
    """As the compiled functions know it; what is read-only would have them compiled once more."""
    return np.require(values, np.float64, ["C", "A", "W"])
