"""The linear program: its answers, its prices, and how it says that there is none."""

import numpy as np
import pytest

from nashgrid.market.linear_program import minimise_linear


def test_answer_and_prices() -> None:
    # Fill 4 units at costs 1, 2, 3 from sources of at most 2 each: the last source not used.
    solution = minimise_linear(
        np.array([1.0, 2.0, 3.0]),
        np.array([[1.0, 0.0, 0.0], [-1.0, -1.0, -1.0]]),
        np.array([1.5, -3.0]),
        lower=np.zeros(3),
        upper=np.full(3, 2.0),
    )
    assert solution.status == "optimal"
    np.testing.assert_allclose(solution.x, [1.5, 1.5, 0.0], atol=1e-12)
    assert solution.value == pytest.approx(4.5)
    # One unit more of source 0 saves 1; one unit less of demand saves 2.
    np.testing.assert_allclose(solution.prices, [1.0, 2.0], atol=1e-12)


def test_equalities_bind_both_ways() -> None:
    solution = minimise_linear(
        np.array([1.0, 1.0]),
        np.zeros((0, 2)),
        np.zeros(0),
        lower=np.array([-np.inf, 0.0]),
        upper=np.full(2, np.inf),
        equal_matrix=np.array([[1.0, -1.0]]),
        equal_limit=np.array([-3.0]),
    )
    np.testing.assert_allclose(solution.x, [-3.0, 0.0], atol=1e-12)


@pytest.mark.parametrize(
    ("cost", "limit", "status"), [(1.0, -1.0, "infeasible"), (-1.0, 1.0, "unbounded")]
)
def test_no_answer_is_said(cost: float, limit: float, status: str) -> None:
    solution = minimise_linear(
        np.array([cost, 0.0]),
        np.array([[0.0, 1.0]]),
        np.array([limit]),
        lower=np.zeros(2),
        upper=np.array([np.inf, np.inf]),
    )
    assert solution.status == status
    assert solution.x.size == 0
    assert np.isnan(solution.value)
