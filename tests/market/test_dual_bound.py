"""The dual bound: valid whatever the multipliers, tight at the optimum."""

import clarabel
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from nashgrid.market.dual_bound import QuadraticProgram


def box_program(seed: int) -> tuple[QuadraticProgram, np.ndarray]:
    """A feasible program with boxes, one or two equalities and two inequalities; and its q."""
    rng = np.random.default_rng(seed)
    size, equal = int(rng.integers(2, 6)), int(rng.integers(1, 3))
    factor = rng.normal(size=(int(rng.integers(0, size + 1)), size))
    inside = rng.uniform(-1.0, 1.0, size)
    dense = rng.normal(size=(equal + 2, size))
    right_side = dense @ inside
    right_side[equal:] += rng.uniform(0.0, 1.0, 2)
    lower, upper = inside - rng.uniform(0, 1, size), inside + rng.uniform(0, 1, size)
    # Bounds of any scale and sign: -2 x <= -2 lower and 3 x <= 3 upper.
    matrix = np.vstack([dense, -2 * np.eye(size), 3 * np.eye(size)])
    program = QuadraticProgram(
        sparse.csc_array(factor.T @ factor),
        sparse.csc_array(matrix),
        np.concatenate([right_side, -2 * lower, 3 * upper]),
        equal,
    )
    np.testing.assert_allclose(program.lower, lower)
    np.testing.assert_allclose(program.upper, upper)
    return program, rng.normal(size=size)


def solve(program: QuadraticProgram, cost: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
    settings_ = clarabel.DefaultSettings()
    settings_.verbose = False
    settings_.tol_gap_abs = settings_.tol_gap_rel = settings_.tol_feas = 1e-11
    rows = len(program.right_side)
    cones = [
        clarabel.ZeroConeT(program.equalities),
        clarabel.NonnegativeConeT(rows - program.equalities),
    ]
    answer = clarabel.DefaultSolver(
        sparse.csc_matrix(sparse.triu(program.quadratic)),
        cost,
        sparse.csc_matrix(program.matrix),
        program.right_side,
        cones,
        settings_,
    ).solve()
    assert answer.status == clarabel.SolverStatus.Solved
    return float(answer.obj_val), np.array(answer.x), np.array(answer.z)


@given(seed=st.integers(0, 100_000), size=st.sampled_from([0.0, 0.1, 1.0, 30.0]))
@settings(deadline=None, derandomize=True)
def test_below_the_optimum_for_any_point_and_multipliers(seed: int, size: float) -> None:
    program, cost = box_program(seed)
    optimum, point, multipliers = solve(program, cost)
    rng = np.random.default_rng(seed + 1)
    anywhere = point + size * rng.normal(size=len(point))
    invented = multipliers + size * rng.normal(size=len(multipliers))
    assert program.dual_bound(cost, anywhere, invented) <= optimum + 1e-9


@given(seed=st.integers(0, 100_000))
@settings(deadline=None, derandomize=True)
def test_tight_at_the_optimum(seed: int) -> None:
    program, cost = box_program(seed)
    optimum, point, multipliers = solve(program, cost)
    assert program.dual_bound(cost, point, multipliers) == pytest.approx(optimum, abs=1e-7)


def test_by_hand() -> None:
    # min x^2 - 4 x on [0, 1]: -3 at x = 1. At x = .5 the tangent -1/4 - 3 x gives -3.25.
    program = QuadraticProgram(
        sparse.csc_array([[2.0]]), sparse.csc_array([[1.0], [-1.0]]), np.array([1.0, 0.0]), 0
    )
    cost, nothing = np.array([-4.0]), np.zeros(2)
    assert program.dual_bound(cost, np.array([1.0]), nothing) == pytest.approx(-3.0)
    assert program.dual_bound(cost, np.array([0.5]), nothing) == pytest.approx(-3.25)
    # The multiplier 2 of x <= 1 is right, and -2 is no multiplier: it counts as 0.
    assert program.dual_bound(cost, np.array([1.0]), np.array([2.0, 0.0])) == pytest.approx(-3.0)
    assert program.dual_bound(cost, np.array([1.0]), np.array([-2.0, 0.0])) == pytest.approx(-3.0)


def test_a_negative_multiplier_of_an_inequality_proves_nothing() -> None:
    # x0 + x1 <= 10 never binds on the unit square; -1 as its multiplier would promise 10.
    rows = np.vstack([[1.0, 1.0], np.eye(2), -np.eye(2)])
    program = QuadraticProgram(
        sparse.csc_array((2, 2)), sparse.csc_array(rows), np.array([10.0, 1, 1, 0, 0]), 0
    )
    invented = np.array([-1.0, 0.0, 0.0, 0.0, 0.0])
    assert program.dual_bound(np.ones(2), np.zeros(2), invented) == 0.0


def test_an_equality_of_one_variable_bounds_both_ways() -> None:
    program = QuadraticProgram(
        sparse.csc_array((1, 1)), sparse.csc_array([[-2.0]]), np.array([-3.0]), 1
    )
    assert (program.lower[0], program.upper[0]) == (1.5, 1.5)
    for price in (-4.0, 4.0):
        bound = program.dual_bound(np.array([price]), np.zeros(1), np.array([7.0]))
        assert bound == pytest.approx(1.5 * price)


def test_the_tightest_of_several_bounds_counts() -> None:
    program = QuadraticProgram(
        sparse.csc_array((1, 1)),
        sparse.csc_array([[1.0], [2.0], [-1.0], [-1.0]]),
        np.array([5.0, 4.0, 1.0, 0.5]),
        0,
    )
    assert (program.lower[0], program.upper[0]) == (-0.5, 2.0)


def test_a_variable_without_bounds_is_named() -> None:
    program = QuadraticProgram(
        sparse.csc_array((2, 2)),
        sparse.csc_array([[1.0, 0.0], [-1.0, 0.0], [1.0, 1.0]]),
        np.array([1.0, 0.0, 3.0]),
        0,
    )
    with pytest.raises(ValueError, match="variable 1 of the problem has no bound"):
        program.dual_bound(np.array([1.0, 1.0]), np.zeros(2), np.zeros(3))
    # A multiplier that makes its gradient vanish gives a bound all the same: x0 + x1 >= ... no
    # less than -(3) x 1 for -x1 - x0.
    bound = program.dual_bound(np.array([-1.0, -1.0]), np.zeros(2), np.array([0.0, 0.0, 1.0]))
    assert bound == pytest.approx(-3.0)
