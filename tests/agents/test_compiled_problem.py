"""The compiled problem against the CVXPY statement it was made from."""

import cvxpy as cp
import numpy as np
import pytest

from nashgrid.agents.compiled_problem import CompiledProblem
from nashgrid.agents.devices.battery import Battery, ElectricVehicle
from nashgrid.agents.devices.device import Device, Horizon
from nashgrid.agents.devices.generator import Generator
from nashgrid.agents.devices.load import Load
from nashgrid.agents.devices.renewable import Renewable
from nashgrid.agents.devices.shiftable_load import ShiftableLoad
from nashgrid.agents.local_problem import LocalProblem, Tariff

EXACT = {"tol_gap_abs": 1e-12, "tol_gap_rel": 1e-12, "tol_feas": 1e-12}
KINDS = ("house", "farm", "plant", "plain")


def devices(kind: str, slots: int, hours: float) -> list[Device]:
    rng = np.random.default_rng(slots)
    load = Load("load", rng.uniform(0.5, 3.0, slots))
    if kind == "plain":
        return [load]
    if kind == "plant":
        return [Generator("generator", 0.004, 0.1, 1.0, 9.0, 6.0 / hours)]
    level = 2.0 / (hours * slots)
    shiftable = ShiftableLoad(
        "shiftable", 2.0, np.full(slots, 4 * level), np.full(slots, level), 0.02 / level
    )
    battery = Battery("battery", 2.0, 1.0, 9.0, 5.0, 5.0, 0.95, 0.9, 0.01, 0.005)
    house = [load, Renewable("pv", rng.uniform(0.0, 4.0, slots)), shiftable, battery]
    if kind == "house":
        return house
    stay = (0, max(1, slots - 1))
    vehicle = ElectricVehicle("vehicle", 4.0, 1.0, 9.0, 2.0, 2.3, 0.9, 0.9, 0.01, 0.002, *stay)
    return [*house, vehicle, Load("shed", rng.uniform(0.0, 2.0, slots), 1.5)]


def statement(kind: str, slots: int, tariff: bool, hours: float = 0.5) -> LocalProblem:
    rng = np.random.default_rng(9)
    retail = rng.uniform(0.2, 0.4, slots)
    return LocalProblem(
        kind,
        devices(kind, slots, hours),
        Horizon(slots, hours),
        12.0,
        Tariff(retail, 0.4 * retail) if tariff else None,
    )


def optimum(problem: LocalProblem, price, target, stiffness) -> tuple[float, np.ndarray]:
    """Solved by CVXPY from the statement, the proximal term written out."""
    problem.price.value = price
    hours = problem.horizon.slot_hours
    distance = cp.sum(cp.multiply(stiffness, cp.square(problem.trade - target)))
    objective = problem.statement.objective.expr + hours / 2 * distance
    whole = cp.Problem(cp.Minimize(objective), problem.statement.constraints)
    value = whole.solve(solver=cp.CLARABEL, **EXACT)
    return float(value), problem.trade.value


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("slots", "tariff"), [(1, False), (4, True), (4, False)])
def test_response_is_that_of_the_statement(kind: str, slots: int, tariff: bool) -> None:
    compiled = CompiledProblem(statement(kind, slots, tariff))
    rng = np.random.default_rng(3)
    # The third quote changes the stiffness, the fourth differs from slot to slot.
    for stiffness in (0.05, 0.05, 0.4, rng.uniform(0.01, 0.2, slots)):
        price = rng.normal(0.25, 0.15, slots)
        target = rng.normal(0.0, 3.0, slots)
        weight = np.broadcast_to(stiffness, slots).astype(float)
        trade = compiled.respond(price, target, weight)
        value, expected = optimum(statement(kind, slots, tariff), price, target, weight)
        np.testing.assert_allclose(trade, expected, atol=1e-5)
        # The recalled schedule keeps all constraints, at that very cost.
        recalled = compiled.recall()
        assert max(float(np.max(c.violation())) for c in recalled.statement.constraints) < 1e-7
        recalled.price.value = price
        distance = 0.25 * weight @ (trade - target) ** 2
        reached = recalled.statement.objective.value + distance
        assert reached == pytest.approx(value, abs=1e-7)


@pytest.mark.parametrize("slots", [96])
def test_a_day_of_quarter_hours(slots: int) -> None:
    compiled = CompiledProblem(statement("farm", slots, False, hours=0.25))
    price, target = np.linspace(0.1, 0.5, slots), np.zeros(slots)
    trade = compiled.respond(price, target, np.full(slots, 0.1))
    fresh = statement("farm", slots, False, hours=0.25)
    _, expected = optimum(fresh, price, target, np.full(slots, 0.1))
    np.testing.assert_allclose(trade, expected, atol=1e-4)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("tariff", [False, True])
def test_lower_bound_is_below_and_tight(kind: str, tariff: bool) -> None:
    compiled = CompiledProblem(statement(kind, 4, tariff))
    rng = np.random.default_rng(5)
    nothing = np.zeros(4)
    for _ in range(3):
        price = rng.normal(0.25, 0.1, 4)
        value, _ = optimum(statement(kind, 4, tariff), price, nothing, nothing)
        best = compiled.solve(0.5 * price, nothing)
        assert compiled.lower_bound(0.5 * price, best) == pytest.approx(value, abs=1e-7)
        # The multipliers of another price prove less, never more.
        other = compiled.solve(0.5 * (price + rng.normal(0.0, 0.05, 4)), nothing)
        assert compiled.lower_bound(0.5 * price, other) <= value + 1e-9


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("slots", [1, 4])
def test_trade_range_holds_every_schedule(kind: str, slots: int) -> None:
    problem = statement(kind, slots, False)
    lowest, highest = CompiledProblem(problem).trade_range()
    for slot in range(slots):
        ends = [
            cp.Problem(goal, problem.statement.constraints).solve(solver=cp.CLARABEL)
            for goal in (cp.Minimize(problem.trade[slot]), cp.Maximize(problem.trade[slot]))
        ]
        assert lowest[slot] <= ends[0] + 1e-6
        assert highest[slot] >= ends[1] - 1e-6


def test_trade_range_by_hand() -> None:
    parts: list[Device] = [
        Load("load", np.array([3.0, 1.0])),
        Renewable("pv", np.array([0.0, 5.0])),
        Generator("generator", 0.01, 0.1, 1.0, 2.0),
    ]
    compiled = CompiledProblem(LocalProblem("house", parts, Horizon(2, 1.0), 5.5))
    lowest, highest = compiled.trade_range()
    # 3 - 2 and 1 - 5 - 2, cut at the connection; 3 - 1 and 1 - 1.
    np.testing.assert_allclose(lowest, [1.0, -5.5])
    np.testing.assert_allclose(highest, [2.0, 0.0])


def test_who_has_not_answered_has_nothing_to_recall() -> None:
    with pytest.raises(ValueError, match="plain has not answered any quote yet"):
        CompiledProblem(statement("plain", 2, False)).recall()


def test_an_infeasible_device_is_named() -> None:
    vehicle = ElectricVehicle("vehicle 1", 4.0, 1.0, 9.0, 2.0, 8.0, 0.9, 0.9, 0.0, 0.01, 1, 2)
    parts: list[Device] = [Load("load", np.ones(4)), vehicle]
    with pytest.raises(ValueError, match="Inn: device 'vehicle 1' cannot keep its own limits"):
        CompiledProblem(LocalProblem("Inn", parts, Horizon(4, 1.0), 20.0))


@pytest.mark.parametrize("tariff", [None, Tariff(np.full(4, 0.3), np.full(4, 0.1))])
def test_an_overloaded_connection_is_named_with_its_slot(tariff: Tariff | None) -> None:
    problem = LocalProblem(
        "Inn", [Load("load", np.array([1.0, 4.0, 6.5, 2.0]))], Horizon(4, 1.0), 5.0, tariff
    )
    with pytest.raises(
        ValueError, match=r"Inn: .*connection limit of 5 kW in slot 2: at least 1.5 kW .*in"
    ):
        CompiledProblem(problem)
    # Forced generation, the other way.
    plant: list[Device] = [Generator("generator", 0.01, 0.1, 7.0, 9.0)]
    with pytest.raises(ValueError, match=r"Plant: .*at least 2 kW too much has to flow out"):
        CompiledProblem(LocalProblem("Plant", plant, Horizon(4, 1.0), 5.0, tariff))
