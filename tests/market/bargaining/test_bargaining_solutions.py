"""Nash, Kalai-Smorodinsky and egalitarian solutions against published and hand-made answers."""

from collections.abc import Callable

import cvxpy as cp
import numpy as np
import pytest

from nashgrid.market.bargaining import (
    BargainingProblem,
    egalitarian,
    kalai_smorodinsky,
    nash,
)

SOLUTIONS = [nash, kalai_smorodinsky, egalitarian]


def linear_and_root() -> BargainingProblem:
    x = cp.Variable()
    return BargainingProblem([x, cp.sqrt(1 - x)], [x >= 0], [0, 0])


def claims() -> BargainingProblem:
    """An estate of 200 that is claimed 100, 200 and 300 times."""
    part = cp.Variable(3, nonneg=True)
    return BargainingProblem(
        [part[0], part[1], part[2]], [cp.sum(part) <= 200, part <= [100, 200, 300]], [0, 0, 0]
    )


def price_band(
    quantities: list[float], bill: float, low: float, high: float, without: list[float]
) -> BargainingProblem:
    """Who buys a quantity (sells, where negative) bargains over its payment within a band.

    `without` is what each pays, net of what the energy is worth to it, when there is no deal.
    """
    bought = np.array(quantities)
    price = cp.Variable(len(quantities))
    payments = cp.multiply(bought, price)
    return BargainingProblem(
        [-payments[i] for i in range(len(quantities))],
        [price >= low, price <= high, cp.sum(payments) == bill],
        -np.array(without),
    )


def test_published_linear_and_root_utilities() -> None:
    problem = linear_and_root()
    outcome = nash(problem)
    # The product is flat at its top, where an interior point method is 1e-7 exact in x; that
    # nothing more is to be had shows in the excess.
    np.testing.assert_allclose(outcome.utilities, [2 / 3, np.sqrt(1 / 3)], atol=1e-6)
    assert abs(outcome.certificate.excess) <= 1e-10
    golden = (np.sqrt(5) - 1) / 2
    np.testing.assert_allclose(kalai_smorodinsky(problem).utilities, [golden] * 2, atol=1e-9)


def test_the_variables_hold_the_agreement() -> None:
    x = cp.Variable()
    problem = BargainingProblem([x, cp.sqrt(1 - x)], [x >= 0], [0, 0])
    for solve in SOLUTIONS:
        outcome = solve(problem)
        assert x.value is not None
        assert float(x.value) == outcome.utilities[0]


def test_published_claims() -> None:
    # The contested estate, e.g. Aumann and Maschler 1985 (claims 100, 200, 300; estate 200).
    problem = claims()
    np.testing.assert_allclose(nash(problem).utilities, [200 / 3] * 3, rtol=1e-10)
    shares = kalai_smorodinsky(problem)
    np.testing.assert_allclose(shares.utilities, [40, 80, 80], rtol=1e-12)
    np.testing.assert_allclose(shares.certificate.ideal, [100, 200, 200], rtol=1e-12)
    np.testing.assert_allclose(shares.certificate.gain_ratios, [0.4] * 3, rtol=1e-12)
    np.testing.assert_allclose(egalitarian(problem).utilities, [200 / 3] * 3, rtol=1e-12)


def test_a_price_band_parts_nash_from_kalai_smorodinsky_for_three() -> None:
    # Seller of 1 kWh, buyers of .2 and 1 kWh, the missing .2 kWh from the utility; prices .1
    # and .3. Without a deal: the seller gets .1, the buyers pay .06 and .3.
    problem = price_band([-1, 0.2, 1], 0.2 * 0.3, 0.1, 0.3, [-0.1, 0.06, 0.3])
    gains = nash(problem).utilities - problem.floor
    np.testing.assert_allclose(gains, [0.08, 0.04, 0.08], atol=1e-10)
    gains = kalai_smorodinsky(problem).utilities - problem.floor
    np.testing.assert_allclose(gains, [1 / 11, 0.2 / 11, 1 / 11], atol=1e-12)


def test_a_price_band_parts_them_for_two_only_when_it_is_narrower_than_the_gains() -> None:
    # One kWh that costs the seller .10 and is worth .30 to the buyer, at a price in [.25, .30].
    price = cp.Variable()
    narrow = BargainingProblem([price - 0.10, 0.30 - price], [price >= 0.25, price <= 0.30], [0, 0])
    np.testing.assert_allclose(nash(narrow).utilities, [0.15, 0.05], atol=1e-10)
    np.testing.assert_allclose(kalai_smorodinsky(narrow).utilities, [0.16, 0.04], atol=1e-12)
    wide = price_band([-1, 1], 0.0, 0.1, 0.3, [-0.1, 0.3])
    for solve in SOLUTIONS:
        np.testing.assert_allclose(solve(wide).utilities - wide.floor, [0.1, 0.1], atol=1e-10)


@pytest.mark.parametrize("solve", SOLUTIONS)
def test_free_transfers_split_the_surplus_equally(
    solve: Callable[[BargainingProblem], object],
) -> None:
    money = cp.Variable(4)
    worth = np.array([3.0, 0.0, -1.0, 2.0])
    floor = np.array([1.0, 0.5, -2.0, 0.3])
    problem = BargainingProblem(
        [worth[i] + money[i] for i in range(4)], [cp.sum(money) == 0], floor
    )
    share = (worth.sum() - floor.sum()) / 4
    np.testing.assert_allclose(solve(problem).utilities, floor + share, atol=1e-9)  # type: ignore[attr-defined]


def test_weights_are_bargaining_powers() -> None:
    part = cp.Variable(3)
    problem = BargainingProblem([part[0], part[1], part[2]], [cp.sum(part) <= 12], [0, 0, 0])
    outcome = nash(problem, weights=[1, 2, 3])
    np.testing.assert_allclose(outcome.utilities, [2, 4, 6], rtol=1e-10)
    np.testing.assert_allclose(nash(problem, weights=[10, 20, 30]).utilities, [2, 4, 6], rtol=1e-10)


def test_kalai_smorodinsky_goes_on_lexicographically() -> None:
    # Players 0 and 1 share, player 2 has 1 whatever they do: equal ratios (1/2, 1/2, 1/2) are
    # only weakly Pareto (Imai 1983).
    problem = BargainingProblem.from_vertices([[1, 0, 1], [0, 1, 1]], [0, 0, 0])
    outcome = kalai_smorodinsky(problem)
    np.testing.assert_allclose(outcome.utilities, [0.5, 0.5, 1.0], atol=1e-12)
    assert outcome.certificate.ratio_spread == pytest.approx(0.5)
    assert outcome.certificate.pareto_gap == pytest.approx(0.0, abs=1e-12)
    levels = BargainingProblem.from_vertices([[4, 1, 2, 8], [4, 1, 8, 2]], [0, 0, 0, 0])
    np.testing.assert_allclose(egalitarian(levels).utilities, [4, 1, 5, 5], atol=1e-12)


def test_a_curved_problem_continues_lexicographically_too() -> None:
    x = cp.Variable(3)
    problem = BargainingProblem(
        [x[0], x[1], x[2]], [cp.sum_squares(x[:2]) <= 1, x[2] <= 2], [0, 0, 0]
    )
    np.testing.assert_allclose(
        egalitarian(problem).utilities, [np.sqrt(0.5), np.sqrt(0.5), 2.0], atol=1e-7
    )
    np.testing.assert_allclose(
        kalai_smorodinsky(problem).utilities, [np.sqrt(0.5), np.sqrt(0.5), 2.0], atol=1e-7
    )


@pytest.mark.parametrize(
    ("solve", "expected"),
    [(nash, [3, 3, 3]), (kalai_smorodinsky, [3, 3, 3]), (egalitarian, [3, 7 / 3, 10 / 3])],
)
def test_who_has_nothing_to_gain_holds_nobody_back(
    solve: Callable[[BargainingProblem], object], expected: list[float]
) -> None:
    # Player 0 has 3 anyhow; the others' gains are 4s and 2(1 - s).
    problem = BargainingProblem.from_vertices([[3, 5, 2], [3, 1, 4]], [3, 1, 2])
    outcome = solve(problem)
    np.testing.assert_allclose(outcome.utilities, expected, atol=1e-9)  # type: ignore[attr-defined]


@pytest.mark.parametrize("solve", SOLUTIONS)
def test_disagreement_on_the_frontier_is_the_outcome(
    solve: Callable[[BargainingProblem], object],
) -> None:
    problem = BargainingProblem.from_vertices([[0, 2], [2, 0]], [1, 1])
    outcome = solve(problem)
    np.testing.assert_allclose(outcome.utilities, [1, 1], atol=1e-9)  # type: ignore[attr-defined]


@pytest.mark.parametrize("solve", SOLUTIONS)
def test_problems_without_a_solution_are_refused(
    solve: Callable[[BargainingProblem], object],
) -> None:
    x = cp.Variable(2)
    with pytest.raises(ValueError, match=r"no point is individually rational: at best .* -0.5 "):
        solve(BargainingProblem.from_vertices([[1, 0], [0, 1]], [1, 1]))
    with pytest.raises(ValueError, match="constraints of the bargaining problem admit no point"):
        solve(BargainingProblem([x[0], x[1]], [x >= 1, x <= 0], [0, 0]))
    with pytest.raises(ValueError, match="unbounded"):
        solve(BargainingProblem([x[0], x[1]], [x >= 0], [0, 0]))
    with pytest.raises(ValueError, match="unbounded: the utility of player 1"):
        solve(BargainingProblem([x[0], x[1]], [x >= 0, x[0] <= 1], [0, 0]))


@pytest.mark.parametrize(
    ("weights", "shown"), [([1, 0], "1.0, 0.0"), ([1], "1.0"), ([1, np.inf], "inf")]
)
def test_bad_weights_are_named(weights: list[float], shown: str) -> None:
    with pytest.raises(ValueError, match=f"weights must hold 2 positive.*{shown}"):
        nash(linear_and_root(), weights)


def test_bad_problems_are_named() -> None:
    x = cp.Variable(2)
    with pytest.raises(ValueError, match="disagreement must hold one utility for each of 2"):
        BargainingProblem([x[0], x[1]], [], [0])
    with pytest.raises(ValueError, match="disagreement must hold"):
        BargainingProblem([], [], [])
    with pytest.raises(ValueError, match="disagreement must be finite"):
        BargainingProblem([x[0], x[1]], [], [0, np.nan])
    with pytest.raises(ValueError, match="utility of player 1 must be a concave scalar"):
        BargainingProblem([x[0], cp.square(x[1])], [], [0, 0])
    with pytest.raises(ValueError, match="utility of player 0 must be a concave scalar"):
        BargainingProblem([x], [], [0])
    with pytest.raises(ValueError, match="constraint 0 is not convex"):
        BargainingProblem([x[0]], [cp.square(x[1]) >= 1], [0])
    whole = cp.Variable(integer=True, name="units")
    with pytest.raises(ValueError, match="variable units is discrete"):
        BargainingProblem([whole, 3 - whole], [whole >= 0], [0, 0])
    with pytest.raises(ValueError, match=r"points must be a table \(K, N\), got shape \(2,\)"):
        BargainingProblem.from_vertices([1, 2], [0, 0])
    with pytest.raises(ValueError, match=r"points must be finite, got \[\[1.0, nan\]\]"):
        BargainingProblem.from_vertices([[1, np.nan]], [0, 0])
    with pytest.raises(ValueError, match="disagreement must hold one utility for each of 3"):
        BargainingProblem.from_vertices([[1, 2, 3]], [0, 0])


@pytest.mark.parametrize("solve", SOLUTIONS)
def test_vectors_of_one_entry_are_scalars(solve: Callable[[BargainingProblem], object]) -> None:
    x = cp.Variable(1)
    outcome = solve(BargainingProblem([x, 1 - x], [x >= 0, x <= 1], [0, 0]))
    np.testing.assert_allclose(outcome.utilities, [0.5, 0.5], atol=1e-9)  # type: ignore[attr-defined]
