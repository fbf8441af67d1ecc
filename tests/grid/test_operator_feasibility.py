"""Which limit stands in the way: named, measured, and enough once it gives way."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.optimize import linprog

from nashgrid.grid.feeder_files import read_feeder
from nashgrid.grid.operator_problem import OperatorProblem


def problem_33(limits=None, slots=3, **changes):
    feeder = read_feeder("ieee33").with_line_limits(limits or {})
    terms = {
        "trading_buses": feeder.buses[1:],
        "reactive_kvar": np.tile(0.3 * feeder.load_kvar, (slots, 1)),
        "slot_hours": 1.0,
        "retail_price_per_kwh": 0.3,
        "feed_in_price_per_kwh": 0.1,
        "loss_price_per_kwh": 0.2,
        "demand_limit_kw": 600.0,
    }
    return OperatorProblem(feeder, **(terms | changes))


def range_around(problem, factors, width=5.0):
    load = problem.feeder.load_kw[1:] * np.asarray(factors)[:, None]
    return load - width, load + width


def test_a_range_that_can_be_carried_has_no_relaxations():
    problem = problem_33({(6, 7): 900.0})
    assert problem.infeasibility(*range_around(problem, [0.2, 0.5, -0.5])) == ()


def test_the_lowest_voltage_is_named_and_measured():
    problem = problem_33()
    lowest, highest = range_around(problem, [0.5, 1.0, 0.5])
    found = problem.infeasibility(lowest, highest)
    assert {item.slot for item in found} == {1}
    worst = found[0]
    assert (worst.limit, worst.element, worst.unit) == ("lowest voltage", "18", "pu")
    # Nothing helps but less demand, so everything sits at its lowest and the voltage is known.
    at_lowest = problem.violation(lowest)[1]
    assert worst.amount == pytest.approx(at_lowest, rel=1e-6)
    assert str(worst).startswith(
        "slot 1, bus 18: the lowest voltage limit of 0.95 pu must give way by 0.01"
    )


def test_the_highest_voltage_is_named():
    problem = problem_33()
    _, highest = range_around(problem, [0.0, -2.0, 0.0])
    found = problem.infeasibility(*range_around(problem, [0.0, -2.0, 0.0]))
    assert (found[0].slot, found[0].limit, found[0].element) == (1, "highest voltage", "18")
    assert found[0].amount == pytest.approx(problem.violation(highest)[1], rel=1e-6)


def test_a_line_is_named_and_giving_way_as_told_is_enough():
    problem = problem_33({(2, 19): 200.0})
    lowest, highest = range_around(problem, [0.1, 0.7, 0.1])
    (only,) = problem.infeasibility(lowest, highest)
    assert (only.slot, only.limit, only.element, only.unit) == (1, "line", "2-19", "kVA")
    wanted = np.hypot(lowest[1, 17:21].sum(), 0.3 * problem.feeder.load_kvar[18:22].sum())
    assert only.bound + only.amount == pytest.approx(wanted, rel=1e-9)
    relaxed = problem_33({(2, 19): only.bound + only.amount + 1e-6})
    assert relaxed.infeasibility(lowest, highest) == ()
    tighter = problem_33({(2, 19): only.bound + 0.99 * only.amount})
    assert tighter.infeasibility(lowest, highest) != ()


def test_the_exchange_and_a_connection_are_named():
    problem = problem_33(exchange_limit_kw=1000.0, demand_limit_kw=150.0)
    lowest, highest = range_around(problem, [0.1, 0.1, 0.35])
    (only,) = problem.infeasibility(lowest, highest)
    assert (only.slot, only.limit, only.element, only.unit) == (2, "exchange", "1", "kW")
    assert only.amount == pytest.approx(lowest[2].sum() - 1000.0)
    lowest, highest = range_around(problem, [0.1, 0.1, 0.1])
    lowest[0, 4], highest[0, 4] = 170.0, 180.0
    found = problem.infeasibility(lowest, highest)
    assert (found[0].slot, found[0].limit, found[0].element) == (0, "demand", "6")
    assert found[0].amount == pytest.approx(20.0)


def test_all_relaxations_together_make_the_slot_feasible():
    problem = problem_33({(6, 7): 300.0, (6, 26): 400.0, (3, 23): 200.0}, slots=1)
    lowest, highest = range_around(problem, [1.1], width=20.0)
    found = problem.infeasibility(lowest, highest)
    assert {item.limit for item in found} == {"line", "lowest voltage"}
    severities = [item.severity_kw for item in found]
    assert severities == sorted(severities, reverse=True)
    lines = {
        tuple(int(bus) for bus in item.element.split("-")): item.bound + item.amount + 1e-6
        for item in found
        if item.limit == "line"
    }
    volts = max(item.amount for item in found if item.limit == "lowest voltage")
    relaxed = problem_33(
        {(6, 7): 300.0, (6, 26): 400.0, (3, 23): 200.0} | lines,
        slots=1,
        lowest_voltage_pu=0.95 - volts - 1e-9,
    )
    assert relaxed.infeasibility(lowest, highest) == ()


def test_feasibility_agrees_with_a_plain_linear_program():
    rng = np.random.default_rng(5)
    verdicts = []
    for _ in range(30):
        problem = problem_33({(6, 7): rng.uniform(160.0, 900.0)}, slots=1)
        lowest, highest = range_around(problem, [rng.uniform(0.0, 1.2)], rng.uniform(0.0, 50.0))
        limits = problem.limits
        kept = np.isfinite(limits.upper[0])
        plain = linprog(
            np.zeros(problem.shape[1]),
            A_ub=np.vstack([limits.rows[kept], -limits.rows[kept]]),
            b_ub=np.concatenate([limits.upper[0, kept], -limits.lower[0, kept]]),
            bounds=list(zip(lowest[0], highest[0])),
        )
        verdicts.append(plain.status == 0)
        assert (problem.infeasibility(lowest, highest) == ()) == verdicts[-1]
    assert 5 < sum(verdicts) < 25


def test_crossed_ranges_are_named():
    problem = problem_33()
    lowest, highest = range_around(problem, [0.1, 0.1, 0.1])
    lowest[2, 5] = highest[2, 5] + 1.0
    with pytest.raises(ValueError, match=r"slot 2, bus 7: lowest_kw .* is above highest_kw"):
        problem.infeasibility(lowest, highest)


def test_relaxations_read_as_sentences():
    problem = problem_33({(2, 19): 200.0})
    (only,) = problem.infeasibility(*range_around(problem, [0.1, 0.7, 0.1]))
    assert str(replace(only, amount=12.3456)) == (
        "slot 1, line 2-19: the line limit of 200 kVA must give way by 12.35 kVA"
    )
