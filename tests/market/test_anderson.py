"""Anderson mixing against the textbook form with explicit residual vectors."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nashgrid.market.anderson import mixing_weights


def textbook_state(images: np.ndarray, residuals: np.ndarray, regularisation: float) -> np.ndarray:
    """Type II in differences (Walker and Ni 2011, eq. 2.2): g_n - sum_j gamma_j (g_j+1 - g_j).

    gamma minimises ||r_n - sum_j gamma_j Delta_j||, each Delta_j with a Tikhonov row of its own.
    """
    steps, changes = np.diff(residuals, axis=0), np.diff(images, axis=0)
    damping = np.diag(np.sqrt(regularisation) * np.linalg.norm(steps, axis=1))
    rows = np.vstack([steps.T, damping])
    right_side = np.concatenate([residuals[-1], np.zeros(len(steps))])
    gamma = np.linalg.lstsq(rows, right_side, rcond=None)[0]
    return images[-1] - gamma @ changes


@given(
    count=st.integers(2, 6),
    seed=st.integers(0, 10_000),
    regularisation=st.sampled_from([1e-4, 1e-2]),
)
@settings(deadline=None, derandomize=True)
def test_same_state_as_the_textbook(count: int, seed: int, regularisation: float) -> None:
    rng = np.random.default_rng(seed)
    residuals, images = rng.normal(size=(2, count, 9))
    weights = mixing_weights(residuals @ residuals.T, np.inf, regularisation)
    assert weights.sum() == pytest.approx(1.0, abs=1e-12)
    expected = textbook_state(images, residuals, regularisation)
    np.testing.assert_allclose(weights @ images, expected, atol=1e-8)


@given(count=st.integers(1, 8), seed=st.integers(0, 10_000), scale=st.floats(1e-8, 1e8))
@settings(deadline=None, derandomize=True)
def test_weights_sum_to_one_and_know_no_scale(count: int, seed: int, scale: float) -> None:
    residuals = np.random.default_rng(seed).normal(size=(count, 5))
    gram = residuals @ residuals.T
    weights = mixing_weights(gram)
    assert weights.sum() == pytest.approx(1.0, abs=1e-12)
    # Of more than five differences of vectors in five dimensions some combination vanishes.
    if count <= 5:
        np.testing.assert_allclose(mixing_weights(scale * gram), weights, atol=1e-6)


def test_alone_or_in_vain_the_newest_counts() -> None:
    assert mixing_weights(np.array([[3.0]])).tolist() == [1.0]
    # Equal residuals offer no direction.
    assert mixing_weights(np.ones((3, 3))).tolist() == [0.0, 0.0, 1.0]


def test_two_residuals_by_hand() -> None:
    # r_1 = 2, r_2 = 1 on a line: without damping gamma = <r_2, r_2 - r_1> / 1 = -1, and the
    # combination -r_1 + 2 r_2 vanishes.
    np.testing.assert_allclose(
        mixing_weights(np.array([[4.0, 2.0], [2.0, 1.0]]), regularisation=0.0), [-1.0, 2.0]
    )


def test_cap_leaves_out_the_oldest() -> None:
    # r = 1.1, 1: gamma = -10, beyond the cap; then the newest alone.
    close = np.outer([1.1, 1.0], [1.1, 1.0])
    np.testing.assert_allclose(mixing_weights(close, np.inf, 0.0), [-10.0, 11.0], rtol=1e-9)
    assert mixing_weights(close, 5.0, 0.0).tolist() == [0.0, 1.0]
    # An older residual that leads too far is left out alone: the others mix as they would.
    residuals = np.array([[0.0, 0.0, 1.0], [1.0, 1.0, 1.001], [0.2, 1.0, 1.0]])
    gram = residuals @ residuals.T
    whole = mixing_weights(gram, np.inf)
    assert np.abs(np.cumsum(whole)[:-1]).sum() > 1.0
    short = mixing_weights(gram, largest_sum=1.0)
    assert short[0] == 0.0
    np.testing.assert_allclose(short[1:], mixing_weights(gram[1:, 1:], np.inf))


@pytest.mark.parametrize("size", [3, 5])
def test_a_linear_map_is_solved_in_as_many_rounds_as_unknowns(size: int) -> None:
    rng = np.random.default_rng(size)
    basis = np.linalg.qr(rng.normal(size=(size, size)))[0]
    matrix = basis @ np.diag(np.linspace(-0.6, 0.9, size)) @ basis.T
    shift = rng.normal(size=size)
    fixed = np.linalg.solve(np.eye(size) - matrix, shift)
    state, plain = np.zeros(size), np.zeros(size)
    images: list[np.ndarray] = []
    residuals: list[np.ndarray] = []
    for _ in range(size + 1):
        images.append(matrix @ state + shift)
        residuals.append(images[-1] - state)
        known = np.array(residuals)
        state = mixing_weights(known @ known.T, np.inf, 1e-12) @ np.array(images)
        plain = matrix @ plain + shift
    assert np.abs(state - fixed).max() < 1e-4 * np.abs(plain - fixed).max()
