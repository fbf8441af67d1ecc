"""Selling for less than buying costs: the answers, their bounds, and what is refused."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nashgrid.agents.population import BuildingArrays, Population, Shiftables

PRICE = 0.25 + 0.1 * np.sin(np.arange(24) / 24 * 4 * np.pi)


@settings(deadline=None, derandomize=True, max_examples=12)
@given(
    seed=st.integers(0, 10_000),
    slots=st.sampled_from([1, 4, 24]),
    batteries=st.integers(0, 2),
    loads=st.integers(0, 1),
    flat=st.sampled_from([0.0, 0.5]),
    level=st.sampled_from([0.25, 0.0, -0.1]),
    gap=st.sampled_from([0.02, 0.1, 0.3]),
    rho=st.sampled_from([0.05, 0.5]),
)
def test_joint_answer_is_each_buildings_own(
    draw_buildings, compare_alone, seed, slots, batteries, loads, flat, level, gap, rho
):
    arrays = draw_buildings(4, slots, seed, batteries, loads, vehicles=0.3, flat=flat)
    rng = np.random.default_rng(seed)
    price = level + 0.15 * np.sin(np.arange(slots) / slots * 4 * np.pi)
    sale_price = price - gap * rng.uniform(0, 1, slots)
    compare_alone(arrays, price, 0.5 * rng.normal(size=(4, slots)), rho, sale_price)


def test_quarter_hours_with_free_feed_in(draw_buildings, compare_alone):
    arrays = draw_buildings(3, 96, 5, batteries=2, loads=1, vehicles=0.3)
    price = 0.25 + 0.1 * np.sin(np.arange(96) / 96 * 4 * np.pi)
    # Targets of 0 would make curtailing and selling equally good to first order, which an interior
    # point method resolves to 1e-6 kW only.
    target = np.random.default_rng(6).normal(size=(3, 96))
    compare_alone(arrays, price, target, 0.15, np.zeros(96))


def test_equal_prices_are_one_price(draw_buildings):
    """The same bits, answer for answer; and the same proof."""
    arrays = draw_buildings(300, 24, 1, batteries=2, loads=1, vehicles=0.3, flat=0.3)
    one, two = (Population(arrays, threads=1) for _ in range(2))
    rng = np.random.default_rng(2)
    own = PRICE + 0.05 * rng.normal(size=(300, 24))
    for price in (PRICE, own):
        for _ in range(3):
            target = rng.normal(size=(300, 24))
            answer = one.answer(price, target, 0.15)
            assert (two.answer(price, target, 0.15, price) == answer).all()
            assert (two.dual_bound(price, sale_price=price) == one.dual_bound(price)).all()
            quoted = (price, target, 0.15)
            assert (two.dual_bound(*quoted, price) == one.dual_bound(*quoted)).all()


@pytest.mark.parametrize("slots", [1, 4, 24])
@pytest.mark.parametrize("feed_in", [0.08, 0.0, -0.05])
def test_the_bound_holds_and_is_tight(draw_buildings, slots, feed_in):
    """Below every cost for a quote and for a price taker, and tight at the best response."""
    arrays = draw_buildings(80, slots, 3, batteries=2, loads=1, vehicles=0.3, flat=0.2)
    population = Population(arrays, threads=1)
    rng = np.random.default_rng(4)
    price = rng.uniform(0.1, 0.4, (80, slots))
    sale_price = np.full(slots, feed_in)
    hours = arrays.slot_hours
    allowed = 1e-9 * np.maximum(arrays.size_kw, 1.0) * 24

    def paid(trade):
        return population.cost() + hours * np.maximum(price * trade, sale_price * trade).sum(axis=1)

    target = rng.normal(size=(80, slots))
    trade = population.answer(price, target, 0.15, sale_price).copy()
    loose = paid(trade) - population.dual_bound(price, sale_price=sale_price)
    assert (loose >= -allowed).all()
    for _ in range(400):
        trade = population.answer(price, trade, 0.01, sale_price).copy()
    epsilon = paid(trade) - population.dual_bound(price, sale_price=sale_price)
    assert (epsilon >= -allowed).all()
    assert (epsilon <= 1e-6 * np.maximum(1.0, np.abs(population.cost()))).all()
    assert loose.max() > 1e-3
    rests = np.abs(trade) == 0
    assert rests.any() or slots == 1


def test_between_the_prices_it_consumes_its_own(draw_buildings):
    """One building by hand: PV above the load in slot 0, a load to shift that the PV can serve."""
    arrays = BuildingArrays(
        slot_hours=1.0,
        price_level=0.3,
        load_kw=np.array([[1.0, 1.0]]),
        available_kw=np.array([[3.0, 0.0]]),
        connection_kw=np.array([10.0]),
        size_kw=np.array([3.0]),
        shiftables=Shiftables(
            np.zeros(1, np.int64), np.full((1, 2), 5.0), np.zeros((1, 2)), np.array([3.0]),
            np.array([0.01]),
        ),
    )  # fmt: skip
    price, sale_price = np.array([0.3, 0.3]), np.array([0.05, 0.05])
    population = Population(arrays, threads=1)
    trade = np.zeros((1, 2))
    for _ in range(300):
        trade = population.answer(price, trade, 0.01, sale_price).copy()
    # Shifting l from slot 1 to slot 0 is worth 0.3 per kWh up to l = 2, and nothing beyond.
    assert population.schedules([0]).shiftable_kw[0] == pytest.approx([2.0, 1.0], abs=1e-6)
    assert trade[0] == pytest.approx([0.0, 2.0], abs=1e-6)
    assert population.cost()[0] == pytest.approx(0.01 * (2.0**2 + 1.0**2), abs=1e-8)


@pytest.mark.parametrize(("count", "slots"), [(4000, 24), (300, 96), (500, 4), (500, 1)])
def test_cold_starts_do_not_fail(draw_buildings, count, slots):
    arrays = draw_buildings(count, slots, 3, batteries=2, loads=2, vehicles=0.3, flat=0.3)
    rng = np.random.default_rng(4)
    price = rng.uniform(-0.1, 0.6, (count, slots))
    sale_price = price - rng.uniform(0, 1, (count, 1)) * rng.uniform(0, 0.5, (count, slots))
    population = Population(arrays, threads=1)
    population.answer(price, rng.normal(size=(count, slots)), 0.15, sale_price)
    assert population.failed.size == 0
    assert population.evaluations.max() < 600  # nobody needed a second attempt


def test_dearer_sales_are_refused(draw_buildings):
    population = Population(draw_buildings(7, 24, 10), threads=1)
    target = np.zeros((7, 24))
    dear = PRICE.copy()
    dear[5] += 0.1
    with pytest.raises(ValueError, match=r"slot 5: sale_price is 0.4\d* per kWh, .* at most"):
        population.answer(PRICE, target, 0.15, dear)
    own = np.broadcast_to(PRICE, (7, 24)).copy()
    own[3, 2] = np.nan
    with pytest.raises(ValueError, match=r"building 3, slot 2: sale_price is nan"):
        population.settle(PRICE, target, 0.15, sale_price=own)
    with pytest.raises(ValueError, match=r"building 3, slot 2: sale_price is 0.3\d* per kWh"):
        population.dual_bound(own, sale_price=PRICE)
    with pytest.raises(ValueError, match=r"sale_price has shape \(23,\)"):
        population.answer(PRICE, target, 0.15, PRICE[:23])
