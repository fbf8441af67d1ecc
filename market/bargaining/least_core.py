"""The least core: the allocations at which the most dissatisfied coalition is least so."""

import numpy as np

from nashgrid.market.bargaining.coalitional_game import CoalitionalGame
from nashgrid.market.bargaining.problem import Floats
from nashgrid.market.linear_program import minimise_linear


def least_core(game: CoalitionalGame) -> tuple[float, Floats]:
    """Return the least-core epsilon and an allocation that attains it.

    ::

        minimise epsilon  subject to  x(S) >= v(S) - epsilon for all S other than none and all,
                                      x(N) = v(N)

    The core is not empty exactly when epsilon <= 0; a positive epsilon is what each coalition
    would have to pay for leaving, so that none does.

    Parameters
    ----------
    game : CoalitionalGame
        Of 2 to 15 players.

    Returns
    -------
    epsilon : float
    allocation : (N,) array
        One of possibly many.

    Raises
    ------
    ValueError
        If there is one player only, more than 15, or a worth is not finite.

    References
    ----------
    Maschler, Peleg, Shapley 1979, Geometric properties of the kernel, nucleolus, and related
    solution concepts, Mathematics of Operations Research 4(4).
    """
    if game.players < 2:
        raise ValueError("the least core needs two players at least: one has no coalition to fear")
    members, worths = game.table()
    scale = float(np.abs(worths).max()) or 1.0
    proper = slice(1, -1)
    minus_one = -np.ones((len(worths) - 2, 1))
    cost = np.append(np.zeros(game.players), 1.0)
    everybody = np.append(np.ones(game.players), 0.0)[None, :]
    solution = minimise_linear(
        cost,
        np.hstack([-members[proper].astype(np.float64), minus_one]),
        -worths[proper] / scale,
        lower=np.full(cost.size, -np.inf),
        upper=np.full(cost.size, np.inf),
        equal_matrix=everybody,
        equal_limit=worths[-1:] / scale,
    )
    if solution.status != "optimal":
        raise RuntimeError(f"the least core was not found: {solution.status}")
    return scale * solution.value, scale * solution.x[:-1]
