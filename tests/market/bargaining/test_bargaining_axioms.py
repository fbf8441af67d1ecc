"""The axioms that characterise the bargaining solutions, and where each breaks another's."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from nashgrid.market.bargaining import (
    BargainingProblem,
    egalitarian,
    kalai_smorodinsky,
    nash,
)

Table = np.ndarray
few = settings(
    deadline=None, derandomize=True, max_examples=6, suppress_health_check=[HealthCheck.too_slow]
)


@st.composite
def vertices(draw: st.DrawFn, players: int | None = None) -> Table:
    """Agreements of two or three players, with room above the disagreement point 0."""
    count = draw(st.integers(2, 3)) if players is None else players
    generator = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    return generator.uniform(0.1, 4.0, size=(generator.integers(2, 7), count))


def room_above(points: Table, utilities: Table) -> float:
    """Largest sum of rises over the hull of points, nobody falling: by another linear program."""
    count = len(points)
    solution = linprog(
        -points.sum(axis=1),
        A_ub=-points.T,
        b_ub=-(utilities - 1e-9),
        A_eq=np.ones((1, count)),
        b_eq=[1.0],
        method="highs",
    )
    assert solution.status == 0, "the utilities are not feasible"
    return float(-solution.fun - utilities.sum())


@few
@given(vertices())
def test_solutions_are_feasible_pareto_rational_and_certified(points: Table) -> None:
    problem = BargainingProblem.from_vertices(points, np.zeros(points.shape[1]))
    product = nash(problem)
    shares = kalai_smorodinsky(problem)
    equal = egalitarian(problem)
    for outcome in (product, shares, equal):
        # A gap of 1e-7 in each is allowed to the lexicographic steps.
        assert room_above(points, outcome.utilities) <= 1e-6
        assert outcome.certificate.least_gain >= 0
    assert abs(product.certificate.excess) <= 1e-8
    assert abs(shares.certificate.pareto_gap) <= 1e-6
    assert abs(equal.certificate.pareto_gap) <= 1e-6
    np.testing.assert_allclose(shares.certificate.ideal, points.max(axis=0), rtol=1e-9)


@few
@given(vertices())
def test_nash_has_the_largest_product_of_all_points_tried(points: Table) -> None:
    problem = BargainingProblem.from_vertices(points, np.zeros(points.shape[1]))
    best = np.log(nash(problem).utilities).sum()
    generator = np.random.default_rng(1)
    mixtures = generator.dirichlet(np.full(len(points), 0.5), size=2000) @ points
    assert np.log(mixtures).sum(axis=1).max() <= best + 1e-9


@few
@given(vertices())
def test_symmetric_problems_have_symmetric_solutions(points: Table) -> None:
    orders = np.array([np.roll(points, k, axis=1) for k in range(points.shape[1])])
    problem = BargainingProblem.from_vertices(
        orders.reshape(-1, points.shape[1]), np.zeros(points.shape[1])
    )
    for solve in (nash, kalai_smorodinsky, egalitarian):
        utilities = solve(problem).utilities
        np.testing.assert_allclose(utilities, utilities.mean(), rtol=1e-7)


@few
@given(vertices())
def test_permuting_the_players_permutes_the_answer(points: Table) -> None:
    none = np.zeros(points.shape[1])
    for solve in (nash, kalai_smorodinsky, egalitarian):
        straight = solve(BargainingProblem.from_vertices(points, none)).utilities
        turned = solve(BargainingProblem.from_vertices(points[:, ::-1], none)).utilities
        np.testing.assert_allclose(turned, straight[::-1], rtol=1e-7)


@few
@given(vertices(), st.integers(0, 2**32 - 1))
def test_nash_and_kalai_smorodinsky_ignore_the_scales_of_utility(points: Table, seed: int) -> None:
    generator = np.random.default_rng(seed)
    count = points.shape[1]
    scale = 10.0 ** generator.uniform(-2, 2, count)
    shift = generator.normal(size=count)
    problem = BargainingProblem.from_vertices(points, np.zeros(count))
    other = BargainingProblem.from_vertices(shift + scale * points, shift)
    for solve in (nash, kalai_smorodinsky):
        expected = shift + scale * solve(problem).utilities
        gain = np.abs(solve(other).utilities - expected) / scale
        assert gain.max() <= 1e-7


def test_egalitarian_depends_on_the_scales_of_utility() -> None:
    straight = BargainingProblem.from_vertices([[1, 0], [0, 1]], [0, 0])
    doubled = BargainingProblem.from_vertices([[2, 0], [0, 1]], [0, 0])
    np.testing.assert_allclose(egalitarian(straight).utilities, [1 / 2, 1 / 2], atol=1e-12)
    np.testing.assert_allclose(egalitarian(doubled).utilities, [2 / 3, 2 / 3], atol=1e-12)


@few
@given(vertices(), st.integers(0, 2**32 - 1))
def test_nash_is_independent_of_irrelevant_alternatives(points: Table, seed: int) -> None:
    count = points.shape[1]
    chosen = nash(BargainingProblem.from_vertices(points, np.zeros(count))).utilities
    generator = np.random.default_rng(seed)
    kept = generator.random(len(points)) < 0.5
    # Fewer agreements, each drawn towards the chosen one: a subset that still contains it.
    subset = np.vstack([chosen, chosen + 0.7 * (points[kept] - chosen)])
    again = nash(BargainingProblem.from_vertices(subset, np.zeros(count))).utilities
    np.testing.assert_allclose(again, chosen, rtol=1e-6)


def test_kalai_smorodinsky_is_not() -> None:
    whole = BargainingProblem.from_vertices([[1, 0], [0, 1]], [0, 0])
    # Without what player 1 has above 1/2 the choice (1/2, 1/2) is still there.
    part = BargainingProblem.from_vertices([[1, 0], [0.5, 0.5], [0, 0.5]], [0, 0])
    np.testing.assert_allclose(nash(whole).utilities, [0.5, 0.5], atol=1e-9)
    np.testing.assert_allclose(nash(part).utilities, [0.5, 0.5], atol=1e-9)
    np.testing.assert_allclose(kalai_smorodinsky(whole).utilities, [0.5, 0.5], atol=1e-12)
    np.testing.assert_allclose(kalai_smorodinsky(part).utilities, [2 / 3, 1 / 3], atol=1e-12)


@few
@given(vertices(players=2), vertices(players=2))
def test_kalai_smorodinsky_is_monotone_for_two(points: Table, more: Table) -> None:
    best = points.max(axis=0)
    # New agreements that may lift player 1, but leave player 0's ideal where it was.
    added = np.column_stack([np.minimum(more[:, 0], best[0]), more[:, 1]])
    before = kalai_smorodinsky(BargainingProblem.from_vertices(points, [0, 0])).utilities
    grown = BargainingProblem.from_vertices(np.vstack([points, added]), [0, 0])
    after = kalai_smorodinsky(grown).utilities
    assert after[1] >= before[1] - 1e-9


def test_nash_is_not() -> None:
    # Kalai and Smorodinsky 1975: the set grows, the ideals stay, and player 1 falls.
    before = BargainingProblem.from_vertices([[1, 0], [0.75, 0.75], [0, 1]], [0, 0])
    after = BargainingProblem.from_vertices([[1, 0], [0.75, 0.75], [1, 0.7], [0, 1]], [0, 0])
    np.testing.assert_allclose(nash(before).utilities, [0.75, 0.75], atol=1e-9)
    np.testing.assert_allclose(nash(after).utilities, [1.0, 0.7], atol=1e-9)
    rises = kalai_smorodinsky(after).utilities - kalai_smorodinsky(before).utilities
    assert rises[1] == pytest.approx(1 / 1.3 - 0.75, abs=1e-12)


def test_weights_break_symmetry_and_nothing_else() -> None:
    problem = BargainingProblem.from_vertices([[1, 0], [0, 1]], [0, 0])
    outcome = nash(problem, weights=[3, 1])
    np.testing.assert_allclose(outcome.utilities, [0.75, 0.25], atol=1e-9)
    assert outcome.certificate.excess == pytest.approx(0.0, abs=1e-9)
