"""Random buildings for the tests of the population kernel."""

from collections.abc import Callable

import numpy as np
import pytest

from nashgrid.agents.population.buildings import BuildingArrays, Shiftables, Storages

Draw = Callable[..., BuildingArrays]


def draw(
    count: int,
    slots: int,
    seed: int,
    batteries: int = 1,
    loads: int = 1,
    vehicles: float = 0.0,
    flat: float = 0.0,
) -> BuildingArrays:
    """Feasible homes over one day: up to `batteries` storages and `loads` shiftable loads each.

    `vehicles` is the share of storages that are there for a stay only, `flat` the share of devices
    without quadratic cost.
    """
    rng = np.random.default_rng(seed)
    hours = 24 / slots
    time = np.arange(slots) * hours
    shape = np.maximum(0, np.sin((time - 6) / 12 * np.pi)) if slots > 1 else np.ones(1)
    load = rng.uniform(0.3, 1.5, (count, 1)) + rng.uniform(0, 0.5, (count, slots))
    rating = (rng.random(count) < 0.6) * rng.uniform(1, 8, count)
    available = rating[:, None] * shape * rng.uniform(0.4, 1, (count, slots))

    owner = np.repeat(np.arange(count), rng.integers(0, batteries + 1, count))
    power = rng.uniform(1, 5, owner.size)
    capacity = power * rng.uniform(1, 4, owner.size)
    start = capacity * rng.uniform(0.2, 0.6, owner.size)
    limit = np.repeat(power[:, None], slots, axis=1)
    back = limit.copy()
    low = np.repeat(0.1 * capacity[:, None], slots, axis=1)
    high = np.repeat(0.9 * capacity[:, None], slots, axis=1)
    end_low, end_high = start.copy(), start.copy()
    for k in np.flatnonzero(rng.random(owner.size) < vehicles):
        arrival, departure = sorted(rng.choice(slots + 1, 2, replace=False))
        limit[k, :arrival] = limit[k, departure:] = 0
        back[k] = limit[k] * rng.integers(0, 2)
        need = min(0.9 * capacity[k], start[k] + 0.4 * power[k] * (departure - arrival) * hours)
        low[k, departure - 1 :] = need
        end_low[k], end_high[k] = need, 0.9 * capacity[k]
    storages = Storages(
        owner, limit, back, low, high, start, end_low, end_high,
        rng.uniform(0.9, 1, owner.size), rng.uniform(0.9, 1, owner.size),
        rng.uniform(0.002, 0.03, owner.size),
        np.where(rng.random(owner.size) < flat, 0.0, 10 ** rng.uniform(-3.3, -2, owner.size)),
    )  # fmt: skip

    owner = np.repeat(np.arange(count), rng.integers(0, loads + 1, count))
    most = rng.uniform(0.5, 3, (owner.size, 1)) * np.ones(slots)
    for m in range(owner.size):
        first, last = sorted(rng.choice(slots + 1, 2, replace=False))
        most[m, :first] = most[m, last:] = 0
    shiftables = Shiftables(
        owner,
        most,
        most * rng.uniform(0, 0.6, most.shape),
        most.sum(axis=1) * hours * rng.uniform(0.05, 0.6, owner.size),
        np.where(rng.random(owner.size) < flat, 0.0, 10 ** rng.uniform(-3, -1, owner.size)),
    )
    powers = np.bincount(storages.owner, power, minlength=count)
    return BuildingArrays(
        slot_hours=hours,
        price_level=0.3,
        load_kw=load,
        available_kw=available,
        connection_kw=load.max(axis=1) + most.max(initial=0.0) * 2 + rng.uniform(0, 8, count),
        size_kw=np.maximum(load.max(axis=1), rating) + powers,
        storages=storages,
        shiftables=shiftables,
    )


@pytest.fixture(scope="session")
def draw_buildings() -> Draw:
    """The generator of random buildings."""
    return draw
