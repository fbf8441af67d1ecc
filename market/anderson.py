"""Anderson acceleration from inner products alone.

A fixed-point iteration s -> g(s) has residual r = g(s) - s. Type-II Anderson acceleration
(Walker and Ni 2011) takes the combination of past images g_j, with weights that sum to one,
whose combined residual is least. The weights need only the Gram matrix <r_j, r_k>.
"""

from functools import cache

import numpy as np

from nashgrid.market.messages import Floats


def mixing_weights(gram: Floats, largest_sum: float = 5.0, regularisation: float = 1e-4) -> Floats:
    """Weights of the past images in the next state.

    With successive differences Delta_j = r_{j+1} - r_j, minimise
    ||r_n - sum_j gamma_j Delta_j||^2 + regularisation sum_j gamma_j^2 ||Delta_j||^2.

    Parameters
    ----------
    gram : (m, m) inner products of the residuals, oldest first
    largest_sum : bound on sum |gamma|; the oldest residuals are left out until it holds
    regularisation : relative diagonal regularisation

    Returns
    -------
    (m,) weights, summing to one; all on the newest when m = 1
    """
    size = len(gram)
    weights = np.zeros(size)
    for first in range(size - 1):
        gamma = _least_squares(gram[first:, first:], regularisation)
        if np.abs(gamma).sum() <= largest_sum:
            weights[first:] = np.diff(gamma, prepend=0.0, append=1.0)
            return weights
    weights[-1] = 1.0
    return weights


def _least_squares(gram: Floats, regularisation: float) -> Floats:
    size = len(gram)
    difference = _differences(size)
    normal = difference @ gram @ difference.T
    normal[np.diag_indices(size - 1)] *= 1 + regularisation
    right_side = difference @ gram[:, -1]
    return np.asarray(np.linalg.lstsq(normal, right_side, rcond=1e-14)[0], dtype=np.float64)


@cache
def _differences(size: int) -> Floats:
    """(size - 1, size) the matrix that takes successive differences."""
    return np.diff(np.eye(size), axis=0)
