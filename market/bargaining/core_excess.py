"""The core of a pooling game: which group could gain most by leaving, found without listing all."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import Bounds, LinearConstraint, milp

from nashgrid.market.bargaining.pooling_game import PoolingGame
from nashgrid.market.bargaining.problem import Floats

MOST_EXACT = 40
"""With so many players the coalition is found; with more, its excess is bounded."""


class CoreExcess(NamedTuple):
    """The largest excess of an allocation, and who has it.

    Parameters
    ----------
    excess : max over coalitions S other than none and all of v(S) - x(S), or an upper bound of it;
        the allocation is in the core exactly when the maximum is at most 0 [currency]
    members : (n,) whether each belongs to the coalition; None where the excess is a bound
    """

    excess: float
    members: NDArray[np.bool_] | None


def core_excess(game: PoolingGame, allocation: Floats) -> CoreExcess:
    """Find the coalition that would gain most by leaving with what it is worth.

    With y_i in {0, 1} for membership, each of the two plans of a coalition is a mixed-integer
    linear program, for the bill is the largest of two linear functions in every slot::

        maximise    sum_i (w_i - x_i) y_i - dt sum_t e_t
        subject to  e_t >= lb_t z_t,  e_t >= ls_t z_t,  z_t = sum_i p_it y_i,
                    1 <= sum_i y_i <= n - 1

    with w_i what i brings before the common bill: its own bill for the plans p0 that all have
    alone, g_i - l_i for those agreed on. With more than `MOST_EXACT` players 0 <= y_i <= 1 instead:
    an upper bound.

    Parameters
    ----------
    game : PoolingGame
        Of 2 players at least.
    allocation : (n,) array
        x, what each gets [currency]; it should sum to v(all).

    Raises
    ------
    ValueError
        If there is one player only.

    References
    ----------
    Gillies 1959, Solutions to general non-zero-sum games, Annals of Mathematics Studies 40.
    """
    if game.players < 2:
        raise ValueError("the core needs two players at least: one has nobody to leave")
    plans = ((game.alone_kw, game.bill(game.alone_kw)), (game.agreed_kw, game.worth_before_bill))
    return max(
        (_best(game, power, worth - allocation) for power, worth in plans),
        key=lambda found: found.excess,
    )


def _best(game: PoolingGame, power_kw: Floats, weight: Floats) -> CoreExcess:
    """Of one plan; money is counted in the largest gain that one player brings."""
    players, slots = power_kw.shape
    retail, feed_in = game.slot_hours * game.retail_price, game.slot_hours * game.feed_in_price
    identity = np.eye(slots)
    # Bills are measured from the feed-in line: e_t - ls_t z_t, at least 0.
    spread = ((retail - feed_in) * power_kw).T
    matrix = np.hstack([-spread, identity])
    gain = weight - power_kw @ feed_in
    scale = float(np.abs(gain).max()) or 1.0
    exact = players <= MOST_EXACT
    found = milp(
        np.concatenate([-gain / scale, np.ones(slots) / scale]),
        integrality=np.repeat([int(exact), 0], [players, slots]),
        bounds=Bounds(np.zeros(players + slots), np.repeat([1.0, np.inf], [players, slots])),
        constraints=[
            LinearConstraint(matrix, 0.0, np.inf),
            LinearConstraint(np.repeat([1.0, 0.0], [players, slots]), 1, players - 1),
        ],
        options={"mip_rel_gap": 0.0},
    )
    if found.x is None:
        raise RuntimeError(f"the coalition that gains most was not found: {found.message}")
    if not exact:
        return CoreExcess(-scale * float(found.fun), None)
    members = found.x[:players] > 0.5
    worth = float(weight[members].sum() - game.bill(power_kw[members].sum(axis=0)))
    return CoreExcess(worth, members)
