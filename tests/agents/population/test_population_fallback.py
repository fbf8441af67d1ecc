"""Buildings that the Newton method gives up: answered by Clarabel, counted, or owned up to."""

from dataclasses import replace

import numpy as np
import pytest

from nashgrid.agents.population import Population
from nashgrid.agents.population import population as population_module
from nashgrid.agents.population.fields import Shape

PRICE = 0.25 + 0.1 * np.sin(np.arange(24) / 24 * 4 * np.pi)
SALES = (None, PRICE - 0.15)


def spoil(population, rows):
    """Ask more of the Newton method for these buildings than it can give."""
    for row in rows:
        seat = population._seat(row)
        seat.blocks.data[seat.block, Shape.TOLERANCE, seat.lane] = -1.0


@pytest.mark.parametrize("sale_price", SALES)
def test_clarabel_answers_what_newton_gives_up(draw_buildings, sale_price):
    """The same answers, costs and schedules; and the next answer goes on from there."""
    arrays = draw_buildings(24, 24, 1, batteries=2, loads=2, vehicles=0.4, flat=0.3)
    sound, spoiled = (Population(arrays, threads=1) for _ in range(2))
    rows = np.arange(0, 24, 2)
    spoil(spoiled, rows)
    rng = np.random.default_rng(2)
    for number in range(3):
        target = rng.normal(size=(24, 24))
        trade = sound.answer(PRICE, target, 0.15, sale_price)
        assert spoiled.answer(PRICE, target, 0.15, sale_price) == pytest.approx(trade, abs=2e-6)
        assert spoiled.failed.size == 0
        assert spoiled.fallbacks == (number + 1) * rows.size
        assert spoiled.cost() == pytest.approx(sound.cost(), abs=1e-6)
        quoted = (PRICE, target, 0.15, sale_price)
        assert spoiled.dual_bound(*quoted) == pytest.approx(sound.dual_bound(*quoted), abs=1e-4)
    assert sound.fallbacks == 0
    ours, theirs = (made.schedules(np.arange(24)) for made in (sound, spoiled))
    assert theirs.energy_kwh == pytest.approx(ours.energy_kwh, abs=1e-4)
    assert theirs.shiftable_kw == pytest.approx(ours.shiftable_kw, abs=1e-4)
    assert theirs.curtailment_kw == pytest.approx(ours.curtailment_kw, abs=1e-4)


def test_a_price_out_of_reach_of_guarded_steps(draw_buildings):
    """100 MW behind a size of 1 kW: the quote's pull makes a price of thousands per kWh inside."""
    arrays = draw_buildings(6, 24, 3, batteries=1, loads=0)
    load, size, connection = (
        made.copy() for made in (arrays.load_kw, arrays.size_kw, arrays.connection_kw)
    )
    load[4] *= 1e5
    size[4] = 1.0
    connection[4] = 1e9
    population = Population(
        replace(arrays, load_kw=load, size_kw=size, connection_kw=connection), threads=1
    )
    trade = population.answer(PRICE, np.zeros((6, 24)), 0.15)
    assert population.failed.size == 0
    assert population.fallbacks == 1
    assert population.evaluations[4] == 1800
    own = arrays.storages.owner == 4
    most = load[4] + arrays.storages.charge_kw[own].sum(axis=0)
    least = load[4] - arrays.available_kw[4] - arrays.storages.discharge_kw[own].sum(axis=0)
    slack = 1e-9 * load[4]  # what Clarabel leaves
    assert (trade[4] <= most + slack).all()
    assert (trade[4] >= least - slack).all()


def test_a_poisoned_memory_recovers(draw_buildings):
    """Multipliers that are not numbers lead to a fresh start, not to an answer that is none."""
    arrays = draw_buildings(9, 24, 4, batteries=1, loads=1)
    sound, poisoned = (Population(arrays, threads=1) for _ in range(2))
    target = np.zeros((9, 24))
    for made in (sound, poisoned):
        made.answer(PRICE, target, 0.15)
    seat = poisoned._seat(5)
    seat.multipliers(0)[7] = np.nan
    trade = sound.answer(PRICE, target + 0.1, 0.15)
    assert poisoned.answer(PRICE, target + 0.1, 0.15) == pytest.approx(trade, abs=1e-8)
    assert poisoned.failed.size == 0
    assert poisoned.evaluations[5] > 600


def test_a_failure_is_reported_and_is_not_a_number(draw_buildings, monkeypatch):
    """A building without a feasible answer, let in by force, fails; the others answer."""
    arrays = draw_buildings(5, 24, 9, batteries=1, loads=0)
    load = arrays.load_kw.copy()
    load[2] += 100.0  # far beyond its connection
    monkeypatch.setattr(population_module, "check_feasible", lambda buildings: None)
    population = Population(replace(arrays, load_kw=load), threads=1)
    trade = population.answer(PRICE, np.zeros((5, 24)), 0.15)
    assert population.failed.tolist() == [2]
    assert population.fallbacks == 0
    assert np.isnan(trade[2]).all()
    assert np.isfinite(np.delete(trade, 2, axis=0)).all()
