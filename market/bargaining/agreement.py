"""Checking an agreement without forgetting it."""

from collections.abc import Iterator
from contextlib import contextmanager

import cvxpy as cp
import numpy as np

from nashgrid.market.bargaining.maximisation import maximise
from nashgrid.market.bargaining.problem import BargainingProblem, Floats


@contextmanager
def agreement_kept(problem: BargainingProblem) -> Iterator[None]:
    """Give the problem's variables their values back after other problems were solved."""
    variables: dict[int, cp.Variable] = {
        variable.id: variable
        for part in (*problem.utilities, *problem.constraints)
        for variable in part.variables()
    }
    values = {key: variable.value for key, variable in variables.items()}
    try:
        yield
    finally:
        for key, variable in variables.items():
            variable.value = values[key]


def pareto_gap(problem: BargainingProblem, utilities: Floats, scales: Floats) -> float:
    """Return max sum_i (v_i - u_i)/scale_i over feasible v >= u, players of scale 0 left out.

    0 exactly where nobody can gain without another losing.

    Parameters
    ----------
    problem : BargainingProblem
    utilities : (N,) array
    scales : (N,) array

    Returns
    -------
    float
        Infinite if the utilities are beyond what is feasible.
    """
    counted = np.flatnonzero(scales > 0)
    rises = [(problem.utilities[i] - utilities[i]) / float(scales[i]) for i in counted.tolist()]
    kept = [*problem.constraints]
    kept += [u >= value for u, value in zip(problem.utilities, utilities, strict=True)]
    status, gap = maximise(sum(rises, cp.Constant(0.0)), kept)
    return gap if status == "optimal" else float("inf")
