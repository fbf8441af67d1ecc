"""Variational equilibria against published answers, and against all players' best responses."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nashgrid.market.games import QuadraticGame


def players_with(diagonal: list[float], cross: list[list[float]]) -> np.ndarray:
    """Costs 1/2 d_i x_i^2 + sum_j cross_ij x_i x_j of players with one entry each."""
    count = len(diagonal)
    matrices = np.zeros((count, count, count))
    for i in range(count):
        matrices[i, i, :] += cross[i]
        matrices[i, :, i] += cross[i]
        matrices[i, i, i] = diagonal[i]
    return matrices


def cournot(count: int, intercept: float, slope: float, cost: float) -> QuadraticGame:
    """Firms that sell at intercept - slope (total) and produce at a constant unit cost."""
    matrices = players_with([2 * slope] * count, [[slope] * count] * count)
    vectors = (cost - intercept) * np.eye(count)
    return QuadraticGame(matrices, vectors, range(count), 0.0, np.inf)


def assert_proved(game: QuadraticGame, tolerance: float = 1e-9) -> None:
    certificate = game.variational_equilibrium().certificate
    assert certificate.natural_map <= tolerance
    assert np.abs(certificate.epsilon).max() <= tolerance
    assert certificate.multiplier_spread <= tolerance
    assert certificate.constraint_violation <= tolerance


def test_facchinei_kanzow_a11() -> None:
    # Facchinei and Kanzow 2010, example A.11: (x1 - 1)^2, (x2 - 1/2)^2, x1 + x2 <= 1.
    game = QuadraticGame(
        players_with([2, 2], [[0, 0], [0, 0]]), [[-2, 0], [0, -1]], [0, 1], -10, 10, [[1, 1]], [1]
    )
    solution = game.variational_equilibrium()
    np.testing.assert_allclose(solution.x, [0.75, 0.25], atol=1e-12)
    np.testing.assert_allclose(solution.multipliers, [0.5], atol=1e-12)
    assert_proved(game)


def test_facchinei_kanzow_a12_duopoly() -> None:
    # Example A.12: price 20 - x1 - x2, unit cost 4.
    game = QuadraticGame(
        players_with([2, 2], [[0, 1], [1, 0]]), [[-16, 0], [0, -16]], [0, 1], -10, 10
    )
    solution = game.variational_equilibrium()
    np.testing.assert_allclose(solution.x, [16 / 3, 16 / 3], atol=1e-12)
    assert solution.multipliers.shape == (0,)
    assert_proved(game)


def test_river_basin() -> None:
    # Krawczyk and Uryasev 2000, Environmental Modeling and Assessment 5.
    linear, square = np.array([0.10, 0.12, 0.15]), np.array([0.01, 0.05, 0.01])
    matrices = players_with((2 * (square + 0.01)).tolist(), [[0.01] * 3] * 3)
    emission = np.array([0.5, 0.25, 0.75])
    decay = np.array([[6.5, 5.0, 5.5], [4.583, 6.25, 3.75]])
    game = QuadraticGame(
        matrices, np.diag(linear - 3.0), [0, 1, 2], 0, np.inf, decay * emission, [100, 100]
    )
    solution = game.variational_equilibrium()
    np.testing.assert_allclose(solution.x, [21.1448, 16.0279, 2.7260], atol=5e-5)
    np.testing.assert_allclose(solution.multipliers, [0.57436, 0.0], atol=5e-6)
    assert_proved(game)


def test_harker() -> None:
    # Harker 1991, European Journal of Operational Research 54.
    game = QuadraticGame(
        players_with([2, 2], [[0, 8 / 3], [5 / 4, 0]]),
        [[-34, 0], [0, -24.25]],
        [0, 1],
        0,
        10,
        [[1, 1]],
        [15],
    )
    np.testing.assert_allclose(game.variational_equilibrium().x, [5.0, 9.0], atol=1e-12)
    assert_proved(game)


@pytest.mark.parametrize("count", [1, 2, 5, 20])
def test_linear_cournot_and_its_welfare(count: int) -> None:
    intercept, slope, cost = 10.0, 0.5, 2.0
    game = cournot(count, intercept, slope, cost)
    x = game.variational_equilibrium().x
    np.testing.assert_allclose(x, (intercept - cost) / (slope * (count + 1)), rtol=1e-12)
    total, best = x.sum(), (intercept - cost) / slope

    def welfare(quantity: float) -> float:
        return (intercept - cost) * quantity - 0.5 * slope * quantity**2

    assert welfare(total) / welfare(best) == pytest.approx(1 - 1 / (count + 1) ** 2, rel=1e-12)
    assert_proved(game)


def test_slopes_that_differ_are_refused_and_solved_when_costs_are_divided_by_them() -> None:
    # A weighted potential: dividing each cost by its slope changes no best response.
    slopes = np.array([0.01, 1.0, 3.0])
    matrices = players_with((2 * slopes).tolist(), [[b] * 3 for b in slopes])
    vectors = np.diag([-1.0, -40.0, -150.0])
    game = QuadraticGame(matrices, vectors, range(3), 0, 60)
    with pytest.raises(ValueError, match=r"not monotone.*eigenvalues \[-"):
        game.variational_equilibrium()
    weighted = QuadraticGame(
        matrices / slopes[:, None, None], vectors / slopes[:, None], range(3), 0, 60
    )
    x = weighted.variational_equilibrium().x
    assert np.abs(game.certify(x).epsilon).max() <= 1e-9


def test_players_with_several_entries_equal_bounds_and_infinite_bounds() -> None:
    # One player, one problem: min 1/2 |x - (1, 2, 3)|^2, x0 fixed, x1 + x2 <= 4, x2 free.
    game = QuadraticGame(
        [np.eye(3)], [[-1, -2, -3]], [0] * 3, [5, 0, -np.inf], [5, 9, np.inf], [[0, 1, 1]], [4]
    )
    solution = game.variational_equilibrium()
    np.testing.assert_allclose(solution.x, [5.0, 1.5, 2.5], atol=1e-12)
    np.testing.assert_allclose(solution.multipliers, [0.5], atol=1e-12)


def test_everything_fixed_is_its_own_equilibrium() -> None:
    game = QuadraticGame([np.eye(1)], [[1.0]], [0], 3, 3, [[1]], [3])
    np.testing.assert_array_equal(game.variational_equilibrium().x, [3.0])


def test_only_the_symmetric_part_of_a_cost_matrix_counts() -> None:
    game = QuadraticGame([[[2, 2], [0, 2]]], [[-3, -3]], [0, 0], -5, 5)
    np.testing.assert_allclose(game.variational_equilibrium().x, [1.0, 1.0], atol=1e-12)


@st.composite
def monotone_games(draw: st.DrawFn) -> QuadraticGame:
    """Strongly monotone games with asymmetric Jacobians, shared limits and odd bounds."""
    seed = draw(st.integers(0, 2**32 - 1))
    entries = draw(st.integers(1, 8))
    players = draw(st.integers(1, entries))
    limits = draw(st.integers(0, 3))
    scale = draw(st.sampled_from([1e-3, 1.0, 1e3]))
    generator = np.random.default_rng(seed)
    owner = np.concatenate([np.arange(players), generator.integers(0, players, entries - players)])
    root, turn = generator.normal(size=(2, entries, entries))
    jacobian = scale * (root @ root.T / entries + 0.1 * np.eye(entries))
    between = owner[:, None] != owner
    jacobian += scale * np.where(between, turn - turn.T, 0.0)
    matrices = np.zeros((players, entries, entries))
    vectors = np.zeros((players, entries))
    for entry, player in enumerate(owner):
        matrices[player, entry] = jacobian[entry]
        matrices[player, between[entry], entry] = jacobian[entry, between[entry]]
        vectors[player, entry] = scale * generator.normal() * 3
    lower = np.where(generator.random(entries) < 0.3, -np.inf, -generator.integers(0, 3, entries))
    upper = np.where(generator.random(entries) < 0.3, np.inf, generator.integers(0, 3, entries))
    matrix = generator.integers(-1, 3, size=(limits, entries))
    return QuadraticGame(
        matrices, vectors, owner, lower, upper, matrix, generator.integers(0, 3, limits)
    )


@settings(deadline=None, derandomize=True, max_examples=60)
@given(monotone_games())
def test_the_equilibrium_is_every_players_best_response(game: QuadraticGame) -> None:
    solution = game.variational_equilibrium()
    size = max(1.0, np.abs(solution.x).max())
    for player in range(game.data.players):
        own = game.data.entries(player)
        answer = game.best_response(player, solution.x)
        np.testing.assert_allclose(answer, solution.x[own], atol=1e-8 * size)
    certificate = solution.certificate
    assert certificate.natural_map <= 1e-9 * max(1.0, np.abs(game.data.cost_vectors).max())
    assert certificate.relative_epsilon.max() <= 1e-9
    assert certificate.multiplier_spread <= 1e-9 * max(1.0, solution.multipliers.max(initial=0.0))
    assert certificate.constraint_violation <= 1e-9


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"owner": [0, 2]}, r"owner must hold the players 0..1, each at least once"),
        ({"owner": [0, 0]}, r"owner must hold the players 0..1, each at least once"),
        ({"owner": [0.0, 1.0]}, "owner must hold"),
        ({"owner": []}, "owner must name the player"),
        ({"cost_matrices": np.zeros((2, 2))}, r"cost_matrices must have shape \(2, 2, 2\)"),
        ({"cost_vectors": [[1, 2]]}, r"cost_vectors must have shape \(2, 2\), got \(1, 2\)"),
        ({"cost_vectors": [[1, np.nan], [0, 0]]}, "cost_vectors must be finite, got nan"),
        ({"lower": [0, 2]}, "entry 1: lower bound 2 exceeds upper bound 1"),
        ({"upper": [1, np.nan]}, "entry 1: lower bound 0 exceeds upper bound nan"),
        ({"lower": [0, 0, 0]}, r"lower must have shape \(2,\)"),
        ({"shared_limit": [1]}, "belong together"),
        (
            {"shared_matrix": [[1, 1, 1]], "shared_limit": [1]},
            r"shared_matrix must have shape \(1, 2\)",
        ),
        (
            {"shared_matrix": [[1, 1], [0, 0]], "shared_limit": [1, -0.5]},
            "shared limit 1 is -0.5, but no entry takes part in it",
        ),
    ],
)
def test_bad_input_is_named(change: dict[str, object], message: str) -> None:
    arguments: dict[str, object] = {
        "cost_matrices": players_with([2, 2], [[0, 1], [1, 0]]),
        "cost_vectors": [[-1, 0], [0, -1]],
        "owner": [0, 1],
        "lower": [0, 0],
        "upper": [1, 1],
    }
    with pytest.raises(ValueError, match=message):
        QuadraticGame(**(arguments | change))  # type: ignore[arg-type]


def test_games_without_an_equilibrium_are_refused() -> None:
    costs = players_with([2, 2], [[0, 1], [1, 0]])
    wishes = [[-1, 0], [0, -1]]
    with pytest.raises(ValueError, match="no point satisfies the bounds and the shared limits"):
        QuadraticGame(costs, wishes, [0, 1], 0, 1, [[1, 1]], [-1]).variational_equilibrium()
    with pytest.raises(ValueError, match="falls without bound"):
        QuadraticGame([[[0.0]]], [[-1.0]], [0], 0, np.inf).variational_equilibrium()
    crossed = players_with([1, 1], [[0, 3], [3, 0]])
    with pytest.raises(ValueError, match=r"eigenvalues \[-2, 4\]"):
        QuadraticGame(crossed, wishes, [0, 1], 0, 1).variational_equilibrium()
