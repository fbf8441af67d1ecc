"""Properties of the joint answer: autonomy, robustness, threads, and owning up to failures."""

import os
import pickle
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from nashgrid.agents.population import Population
from nashgrid.agents.population.newton import answer_blocks
from nashgrid.agents.population.stragglers import answer_queue

PRICE = 0.25 + 0.1 * np.sin(np.arange(24) / 24 * 4 * np.pi)


def test_one_buildings_data_changes_only_its_own_row(draw_buildings):
    arrays = draw_buildings(41, 24, 1, batteries=2, loads=1, vehicles=0.3, flat=0.3)
    load = arrays.load_kw.copy()
    load[17] += 0.3
    changed = replace(arrays, load_kw=load)
    target = np.zeros((41, 24))
    before, after = (Population(made, threads=1) for made in (arrays, changed))
    for _ in range(3):
        first = before.answer(PRICE, target, 0.15)
        second = after.answer(PRICE, target, 0.15)
        differs = (first != second).any(axis=1)
        assert np.flatnonzero(differs).tolist() == [17]
    assert np.flatnonzero(before.cost() != after.cost()).tolist() in ([], [17])
    own = np.flatnonzero(arrays.storages.owner == 17)
    schedules = [made.schedules(np.arange(41)) for made in (before, after)]
    others = np.setdiff1d(np.arange(arrays.storages.owner.size), own)
    assert (schedules[0].charge_kw[others] == schedules[1].charge_kw[others]).all()


def test_company_does_not_matter(draw_buildings):
    """A building answers the same alone as among others of its kind."""
    arrays = draw_buildings(23, 24, 2, batteries=1, loads=0)
    together = Population(arrays, threads=1)
    price = PRICE[None] + 0.01 * np.arange(23)[:, None]
    for row in (0, 11, 22):
        own = arrays.storages.take(np.flatnonzero(arrays.storages.owner == row))
        alone = Population(
            replace(
                arrays,
                load_kw=arrays.load_kw[row : row + 1],
                available_kw=arrays.available_kw[row : row + 1],
                connection_kw=arrays.connection_kw[row : row + 1],
                size_kw=arrays.size_kw[row : row + 1],
                storages=replace(own, owner=own.owner * 0),
                shiftables=None,
            ),
            threads=1,
        )
        together.forget()
        for _ in range(3):
            joint = together.answer(price, np.zeros((23, 24)), 0.15)[row]
            lone = alone.answer(price[row], np.zeros((1, 24)), 0.15)[0]
            assert (joint == lone).all()


@pytest.mark.parametrize(("count", "slots"), [(4000, 24), (400, 96), (500, 4), (500, 1)])
def test_cold_starts_do_not_fail(draw_buildings, count, slots):
    arrays = draw_buildings(count, slots, 3, batteries=2, loads=2, vehicles=0.3, flat=0.3)
    rng = np.random.default_rng(4)
    price = rng.uniform(-0.1, 0.6, (count, slots))
    population = Population(arrays, threads=1)
    population.answer(price, rng.normal(size=(count, slots)), 0.15)
    assert population.failed.size == 0
    assert population.evaluations.max() < 600  # nobody needed a second attempt
    schedules = population.schedules(np.arange(count))
    storages = arrays.storages
    assert (schedules.energy_kwh >= storages.energy_min_kwh - 1e-6).all()
    assert (schedules.energy_kwh <= storages.energy_max_kwh + 1e-6).all()
    energy = schedules.shiftable_kw.sum(axis=1) * arrays.slot_hours
    assert energy == pytest.approx(arrays.shiftables.energy_kwh, abs=1e-6)
    balance = schedules.trade_kw - arrays.load_kw + arrays.available_kw - schedules.curtailment_kw
    np.subtract.at(balance, storages.owner, schedules.charge_kw - schedules.discharge_kw)
    np.subtract.at(balance, arrays.shiftables.owner, schedules.shiftable_kw)
    assert np.abs(balance).max() < 1e-7


def test_threads_give_the_same_bits(draw_buildings):
    arrays = draw_buildings(9000, 24, 5, batteries=1, loads=1)
    one, two = Population(arrays, threads=1), Population(arrays, threads=2)
    rng = np.random.default_rng(6)
    for move in (1.0, 0.02, 0.02):
        target = rng.normal(size=(9000, 24)) * move
        assert (one.answer(PRICE, target, 0.15) == two.answer(PRICE, target, 0.15)).all()
    assert one.stragglers == two.stragglers > 0
    assert (one.cost() == two.cost()).all()
    assert (one.dual_bound(PRICE) == two.dual_bound(PRICE)).all()


def test_scale_of_prices_scales_only_costs(draw_buildings):
    """All prices and costs times 100: the same trades, and no more evaluations to speak of."""
    arrays = draw_buildings(60, 24, 8)
    storages, loads = arrays.storages, arrays.shiftables
    dear = replace(
        arrays,
        price_level=arrays.price_level * 100,
        storages=replace(
            storages,
            wear_per_kwh=storages.wear_per_kwh * 100,
            wear_quadratic=storages.wear_quadratic * 100,
        ),
        shiftables=replace(loads, discomfort=loads.discomfort * 100),
    )
    cheap_one, dear_one = Population(arrays, threads=1), Population(dear, threads=1)
    cheap = cheap_one.settle(PRICE, np.zeros((60, 24)), 0.15)
    assert dear_one.settle(PRICE * 100, np.zeros((60, 24)), 15.0) == pytest.approx(cheap, abs=1e-6)
    assert dear_one.cost() == pytest.approx(cheap_one.cost() * 100, rel=1e-6)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_quote_that_is_not_finite_is_refused(draw_buildings, bad):
    population = Population(draw_buildings(7, 24, 10), threads=1)
    target = np.zeros((7, 24))
    target[3, 5] = bad
    with pytest.raises(ValueError, match=r"building 3: its price or target is not finite"):
        population.answer(PRICE, target, 0.15)
    population.answer(PRICE, np.zeros((7, 24)), 0.15)
    with pytest.raises(ValueError, match=r"building 3: its price or target is not finite"):
        population.answer(PRICE, target, 0.15)


def test_read_only_quotes_compile_nothing_again(draw_buildings):
    arrays = draw_buildings(7, 24, 10)
    population = Population(arrays, threads=1)
    population.prepare()
    known = len(answer_queue.signatures), len(answer_blocks.signatures)
    price, target = PRICE.copy(), np.zeros((7, 24))
    price.flags.writeable = target.flags.writeable = False
    for _ in range(2):
        population.answer(price, target, 0.15)
    population.answer(np.broadcast_to(price, (7, 24)), target.astype(np.float32), 0.15)
    assert (len(answer_queue.signatures), len(answer_blocks.signatures)) == known == (1, 1)


def test_wrong_shapes_are_refused(draw_buildings):
    population = Population(draw_buildings(3, 24, 11), threads=1)
    with pytest.raises(ValueError, match=r"price has shape \(23,\)"):
        population.answer(PRICE[:23], np.zeros((3, 24)), 0.15)
    with pytest.raises(ValueError, match=r"target has shape \(2, 24\)"):
        population.answer(PRICE, np.zeros((2, 24)), 0.15)
    with pytest.raises(ValueError, match="rho is 0"):
        population.answer(PRICE, np.zeros((3, 24)), 0.0)
    with pytest.raises(ValueError, match="threads is 0"):
        Population(draw_buildings(3, 24, 11), threads=0)


def test_memory_per_building(draw_buildings):
    """Battery, shiftable load and PV over 24 slots: what is kept beside their own arrays."""
    arrays = draw_buildings(900, 24, 14, batteries=1, loads=1)
    both = np.intersect1d(arrays.storages.owner, arrays.shiftables.owner)
    few = np.isin(arrays.storages.owner, both), np.isin(arrays.shiftables.owner, both)
    rows = np.searchsorted(both, np.arange(900))
    storages = arrays.storages.take(np.flatnonzero(few[0]))
    loads = arrays.shiftables.take(np.flatnonzero(few[1]))
    full = replace(
        arrays,
        load_kw=arrays.load_kw[both],
        available_kw=arrays.available_kw[both],
        connection_kw=arrays.connection_kw[both],
        size_kw=arrays.size_kw[both],
        storages=replace(
            storages,
            owner=rows[storages.owner],
            wear_quadratic=np.full(both.size, 0.01),  # none is flat
        ),
        shiftables=replace(loads, owner=rows[loads.owner], discomfort=np.full(both.size, 0.05)),
    )
    population = Population(full, threads=1)
    # Multipliers 51, trade 24 and the day's numbers 13 in double precision, 48 last answers in
    # single precision, bounds 8; class, lane, rows and counts.
    assert population.state_bytes / both.size == pytest.approx(
        8 * (51 + 24 + 13 + 8) + 4 * 48 + 26, rel=0.01
    )


def test_a_copy_stands_on_its_own(draw_buildings):
    """Addresses of the profiles do not travel: a copy reads its own arrays."""
    arrays = draw_buildings(13, 24, 15, batteries=2, loads=1, vehicles=0.5)
    population = Population(arrays, threads=1)
    population.answer(PRICE, np.zeros((13, 24)), 0.15)
    copied = pickle.loads(pickle.dumps(population))
    assert copied.buildings.load_kw is not population.buildings.load_kw
    target = np.full((13, 24), 0.1)
    trade = population.answer(PRICE, target, 0.15).copy()
    population.buildings.load_kw[:] = np.nan
    assert (copied.answer(PRICE, target, 0.15) == trade).all()
    assert (copied.dual_bound(PRICE) <= copied.cost() + trade @ PRICE + 1e-6).all()


def test_import_compiles_nothing():
    """The compiled functions have no compiled signature until a population answers."""
    code = (
        "import nashgrid.agents.population as p, nashgrid.agents.population.newton as n;"
        "import nashgrid.agents.population.stragglers as s;"
        "print(len(n.answer_blocks.signatures) + len(s.answer_queue.signatures))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "0"


def test_compiled_once_per_machine(draw_buildings, tmp_path):
    """A second process fetches everything from disk; and both know beforehand."""
    with (tmp_path / "arrays.pickle").open("wb") as file:
        pickle.dump(draw_buildings(6, 4, 13, batteries=1), file)
    code = (
        "import pickle, numpy as np;"
        "from nashgrid.agents.population import Population, compiled, newton, stragglers, tables;"
        "population = Population(pickle.load(open('arrays.pickle', 'rb')), threads=1);"
        "before = population.is_compiled();"
        "population.answer(np.ones(4), np.zeros((6, 4)), 0.1);"
        "callers = (newton.answer_blocks, stragglers.answer_queue, compiled.assess_blocks);"
        "shapes = map(tables.shape_of, population._classes);"
        "passes = [compiled.compiled_pass(n, s) for s in shapes for n in compiled.names_of(False)];"
        "print(before, population.is_compiled(), population.is_compiled(two_prices=True),"
        "      sum(made.stats.cache_hits.total() for made in callers),"
        "      sum(made.cache_hits for made in passes) / len(passes))"
    )
    environment = os.environ | {"NUMBA_CACHE_DIR": str(tmp_path)}
    said = [
        subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True,
            cwd=tmp_path, env=environment,
        ).stdout.split()
        for _ in range(2)
    ]  # fmt: skip
    assert said[0] == ["False", "True", "False", "0", "0.0"]
    assert said[1] == ["True", "True", "False", "3", "1.0"]


def test_eight_lanes_answer_as_four_do(draw_buildings, tmp_path):
    """Registers of eight doubles, as AVX-512 has them, change nothing."""
    arrays = draw_buildings(29, 24, 12, batteries=2, loads=1, vehicles=0.3, flat=0.3)
    with (tmp_path / "arrays.pickle").open("wb") as file:
        pickle.dump(arrays, file)
    script = tmp_path / "answer.py"
    script.write_text(
        "import pickle, sys, numba, numpy as np\n"
        "numba.njit(lambda: 0)()  # Numba itself goes by the true processor\n"
        "from llvmlite import binding\n"
        "known = binding.get_host_cpu_features\n"
        "binding.get_host_cpu_features = lambda: {'avx512f': sys.argv[1] == '8'}\n"
        "from nashgrid.agents.population.lanes import WIDTH\n"
        "binding.get_host_cpu_features = known\n"
        "from nashgrid.agents.population import Population\n"
        "assert WIDTH == int(sys.argv[1])\n"
        "population = Population(pickle.load(open('arrays.pickle', 'rb')), threads=1)\n"
        "price = 0.25 + 0.1 * np.sin(np.arange(24) / 24 * 4 * np.pi)\n"
        "for level in (0.0, 0.02, 0.04):\n"
        "    trade = population.answer(price, np.full((29, 24), level), 0.15)\n"
        "np.save(sys.argv[1], [*trade, population.dual_bound(price)[:24]])\n"
    )
    for lanes in ("4", "8"):
        command = [sys.executable, str(script), lanes]
        subprocess.run(command, check=True, cwd=tmp_path)
    four, eight = (np.load(tmp_path / f"{lanes}.npy") for lanes in ("4", "8"))
    assert (four == eight).all()


def test_the_same_buildings_anew_answer_as_if_asked_first(draw_buildings) -> None:
    first = Population(draw_buildings(23, 24, 2, batteries=2, loads=1), threads=1)
    cold = first.answer(PRICE, np.zeros((23, 24)), 0.15).copy()
    warm = first.answer(PRICE, np.ones((23, 24)), 0.15).copy()
    anew = first.anew()
    np.testing.assert_array_equal(anew.answer(PRICE, np.zeros((23, 24)), 0.15), cold)
    assert (anew.evaluations > 0).all()
    np.testing.assert_array_equal(first.trade, warm)
    warmer = first.answer(PRICE, np.ones((23, 24)), 0.15)
    assert (warmer != cold).any()


def test_with_less_pull_an_answer_is_nearer_to_the_optimum(draw_buildings) -> None:
    away = []
    for pull in (8.0, 1.0, 0.03):
        population = Population(draw_buildings(23, 24, 2, batteries=1, loads=1), threads=1)
        population.answer(PRICE, np.zeros((23, 24)), 0.15, pull=pull)
        paid = population.cost() + (PRICE * population.trade).sum(axis=1)
        stiff = 0.15 / 2 * (population.trade**2 / population.buildings.size_kw[:, None]).sum(axis=1)
        bound = population.dual_bound(PRICE, np.zeros((23, 24)), 0.15)
        away.append(float((paid + stiff - bound).sum()))
    assert away[0] > away[1] > away[2] >= 0
