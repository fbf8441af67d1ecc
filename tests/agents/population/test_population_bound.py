"""The dual bound: below every optimum, and tight when the answers have settled."""

import numpy as np
import pytest

from nashgrid.agents.population import Population

PRICE = 0.25 + 0.1 * np.sin(np.arange(24) / 24 * 4 * np.pi)


def rounding(arrays):
    """What violations of 1e-9 kW per kW of size can be worth: the bound may be above by that."""
    return 1e-9 * np.maximum(arrays.size_kw, 1.0) * arrays.slots * arrays.slot_hours


def paid(population, price, target=None, rho=0.0):
    """Devices, trade and the quote's proximal term, per building."""
    arrays, trade = population.buildings, population.trade
    total = population.cost() + arrays.slot_hours * (trade * price).sum(axis=1)
    if target is not None:
        away = ((trade - target) ** 2).sum(axis=1)
        total += arrays.slot_hours * rho / 2 / arrays.size_kw * away
    return total


@pytest.mark.parametrize("slots", [1, 4, 24])
def test_tight_for_the_answer_to_a_quote(draw_buildings, slots):
    arrays = draw_buildings(120, slots, 1, batteries=2, loads=2, vehicles=0.3, flat=0.3)
    population = Population(arrays, threads=1)
    rng = np.random.default_rng(2)
    price, target = rng.uniform(0.0, 0.4, (120, slots)), rng.normal(size=(120, slots))
    population.settle(price, target, 0.15)
    gap = paid(population, price, target, 0.15) - population.dual_bound(price, target, 0.15)
    assert (gap >= -rounding(arrays)).all()
    assert gap.max() < 1e-7


def test_below_the_optimum_at_any_multipliers(draw_buildings):
    """After an answer to another quote the bound is loose, never wrong."""
    arrays = draw_buildings(200, 24, 3, batteries=2, loads=1, vehicles=0.3, flat=0.3)
    population, settled = Population(arrays, threads=1), Population(arrays, threads=1)
    target = np.zeros((200, 24))
    settled.settle(PRICE, target, 0.15)
    best = paid(settled, PRICE, target, 0.15)
    rng = np.random.default_rng(4)
    for _ in range(3):
        population.answer(rng.uniform(-0.2, 0.6, 24), rng.normal(size=(200, 24)), 0.3)
        assert (population.dual_bound(PRICE, target, 0.15) <= best + rounding(arrays)).all()


def test_price_takers_at_their_best_response(draw_buildings):
    """Answering one's own last trade again and again is the best response; epsilon vanishes."""
    arrays = draw_buildings(100, 24, 5, batteries=2, loads=1, vehicles=0.2)
    population = Population(arrays, threads=1)
    trade = population.answer(PRICE, np.zeros((100, 24)), 0.05).copy()
    loose = paid(population, PRICE) - population.dual_bound(PRICE)
    for _ in range(200):
        trade = population.answer(PRICE, trade, 0.01).copy()
    epsilon = paid(population, PRICE) - population.dual_bound(PRICE)
    assert (epsilon >= -rounding(arrays)).all()
    assert (epsilon <= 1e-6 * np.maximum(1.0, np.abs(population.cost()))).all()
    assert loose.max() > 1e-3


def test_the_bound_of_a_price_taker_uses_the_limit_of_the_connection(draw_buildings):
    """Where the connection binds, the price inside the building differs from the quoted one."""
    arrays = draw_buildings(50, 24, 6, batteries=1, loads=0)
    narrow = type(arrays)(
        arrays.slot_hours,
        arrays.price_level,
        arrays.load_kw,
        arrays.available_kw,
        arrays.load_kw.max(axis=1) + 0.05,
        arrays.size_kw,
        arrays.storages,
        arrays.shiftables,
    )
    population = Population(narrow, threads=1)
    trade = population.answer(PRICE, np.zeros((50, 24)), 0.05).copy()
    for _ in range(200):
        trade = population.answer(PRICE, trade, 0.01).copy()
    assert (np.abs(trade) >= narrow.connection_kw[:, None] * (1 - 1e-9)).any()
    epsilon = paid(population, PRICE) - population.dual_bound(PRICE)
    assert (epsilon >= -rounding(arrays)).all()
    assert epsilon.max() < 1e-6
