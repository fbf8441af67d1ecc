"""A local problem compiled once, then solved again and again by Clarabel's data updates."""

from dataclasses import dataclass

import clarabel
import cvxpy as cp
import numpy as np
from cvxpy.reductions.solvers.conic_solvers.clarabel_conif import dims_to_solver_cones
from scipy import sparse

from nashgrid.agents.local_problem import LocalProblem
from nashgrid.market.dual_bound import QuadraticProgram
from nashgrid.market.messages import Floats

TOLERANCE = 1e-10


@dataclass(frozen=True)
class Solution:
    """A point of the compiled problem and multipliers that prove how good it is."""

    point: Floats
    multipliers: Floats


class CompiledProblem:
    """The canonical form  min 1/2 x'Px + q'x,  Ax + s = b,  s in zero and nonnegative cones.

    Only q depends on the price, so a new quote is one vector update; the proximal term of an
    exchange adds a diagonal to P on the columns of the trade, which changes when its step does.

    Parameters
    ----------
    problem : the statement

    Raises
    ------
    ValueError
        If the problem has no solution; names the owner and the cause.
    """

    def __init__(self, problem: LocalProblem) -> None:
        self.problem = problem
        problem.price.value = np.zeros(problem.price.size)
        data, _, _ = problem.statement.get_problem_data(
            cp.CLARABEL, solver_opts={"use_quad_obj": True}
        )
        columns = data["param_prob"].var_id_to_col
        self._columns = {
            variable: slice(columns[variable.id], columns[variable.id] + variable.size)
            for variable in problem.statement.variables()
        }
        self._trade = self._columns[problem.trade]
        parts = [self._columns[part] for part in problem.traded]
        self._traded = np.concatenate([np.arange(part.start, part.stop) for part in parts])
        self._hours = problem.horizon.slot_hours
        self._form, self._quadratic = data["param_prob"], "P" in data
        self.heed_parameters()
        size = len(data["c"])
        self.program = QuadraticProgram(
            quadratic=sparse.csc_array(data.get("P", sparse.csc_array((size, size)))),
            matrix=sparse.csc_array(data["A"]),
            right_side=data["b"],
            equalities=data["dims"].zero,
        )
        self._last: Solution | None = None
        self._proximal_weight = np.zeros(len(self._traded))
        self._solver = clarabel.DefaultSolver(
            self._curvature(),
            self._cost_vector,
            sparse.csc_matrix(self.program.matrix),
            self.program.right_side,
            dims_to_solver_cones(data["dims"]),
            _settings(),
        )
        self.solve(self._proximal_weight, self._proximal_weight)

    def heed_parameters(self) -> None:
        """Take the present values of what the cost depends on beside the price, such as a charge.

        What the constraints and the curvature depend on stays as it was compiled.
        """
        self.problem.price.value = np.zeros(self.problem.price.size)
        parts = self._form.apply_parameters(quad_obj=self._quadratic)
        self._cost_vector = parts[-4]  # of (P,) c, constant, A, b
        self._constant = float(parts[-3])

    def respond(self, price: Floats, target: Floats, stiffness: Floats) -> Floats:
        """What minimises cost + dt price.p + dt/2 sum stiffness (p - target)^2 of all traded."""
        weight = self._hours * stiffness
        self._last = self.solve(self._hours * price - weight * target, weight)
        return self.trade(self._last)

    def recall(self) -> LocalProblem:
        """The statement with the last response in its variables."""
        if self._last is None:
            raise ValueError(f"{self.problem.owner} has not answered any quote yet")
        return self.at(self._last.point)

    def at(self, point: Floats) -> LocalProblem:
        """The statement with a point of the compiled problem in its variables."""
        for variable, columns in self._columns.items():
            variable.value = point[columns]
        return self.problem

    def solve(
        self, trade_cost: Floats, proximal_weight: Floats, bought_cost: Floats | None = None
    ) -> Solution:
        """Minimise the cost + ``trade_cost``.p + 1/2 sum ``proximal_weight`` p^2 + b.max(p, 0).

        Parameters
        ----------
        trade_cost : (T,) [currency/kW]
        proximal_weight : (T,) at least 0 [currency/kW^2]
        bought_cost : (T,) b, beyond the tariff of a problem that has one; with that tariff buying
            must not become cheaper than selling earns [currency/kW]

        Raises
        ------
        ValueError
            If Clarabel finds no solution; names the owner and, if it can, the cause.
        """
        if not np.array_equal(proximal_weight, self._proximal_weight):
            self._proximal_weight = proximal_weight
            self._solver.update(P=self._curvature())
        self._solver.update(q=self._costs(trade_cost, bought_cost))
        answer = self._solver.solve()
        solved = (clarabel.SolverStatus.Solved, clarabel.SolverStatus.AlmostSolved)
        if answer.status == clarabel.SolverStatus.PrimalInfeasible:
            raise ValueError(self.problem.explain_infeasibility())
        if answer.status not in solved:
            raise ValueError(f"{self.problem.owner}: Clarabel stopped with {answer.status}")
        return Solution(np.array(answer.x), np.array(answer.z))

    def trade(self, solution: Solution) -> Floats:
        """(K,) all that is traded in a solution, see `LocalProblem.quantity`."""
        return np.asarray(solution.point[self._traded])

    def lower_bound(
        self, trade_cost: Floats, solution: Solution, bought_cost: Floats | None = None
    ) -> float:
        """A proven lower bound on the least cost plus ``trade_cost``.p + b.max(p, 0) [currency]."""
        cost_vector = self._costs(trade_cost, bought_cost)
        bound = self.program.dual_bound(cost_vector, solution.point, solution.multipliers)
        return bound + self._constant

    def trade_range(self) -> tuple[Floats, Floats]:
        """Least and most power the trade can take in each slot alone, by interval arithmetic [kW].

        Every schedule lies within; not every power within belongs to a schedule.
        """
        program = self.program
        equalities = sparse.csr_array(program.matrix)[: program.equalities].toarray()
        trade = np.arange(self._trade.start, self._trade.stop)
        rows = np.argmax(equalities[:, trade] != 0, axis=0)
        others = -equalities[rows] / equalities[rows, trade][:, None]
        others[np.arange(len(trade)), trade] = 0.0
        fixed = program.right_side[rows] / equalities[rows, trade]
        low = np.where(others > 0, others * program.lower, others * program.upper)
        high = np.where(others > 0, others * program.upper, others * program.lower)
        lowest = fixed + np.where(others == 0, 0.0, low).sum(axis=1)
        highest = fixed + np.where(others == 0, 0.0, high).sum(axis=1)
        return (
            np.maximum(lowest, program.lower[trade]),
            np.minimum(highest, program.upper[trade]),
        )

    def _costs(self, trade_cost: Floats, bought_cost: Floats | None) -> Floats:
        """The cost vector; the power bought is a variable of its own where there is a tariff."""
        cost_vector: Floats = self._cost_vector.copy()
        cost_vector[self._traded] += trade_cost
        if bought_cost is not None:
            bought = next(v for v in self._columns if v.name() == "bought_kw")
            cost_vector[self._columns[bought]] += bought_cost
        return cost_vector

    def _curvature(self) -> sparse.csc_matrix:
        """Upper half of P with the proximal weights; their entries are always stored."""
        trade = self._traded
        size = self.program.quadratic.shape[0]
        rest = sparse.coo_array(sparse.triu(self.program.quadratic))
        entries = (
            np.concatenate([rest.data, self._proximal_weight]),
            (np.concatenate([rest.row, trade]), np.concatenate([rest.col, trade])),
        )
        return sparse.csc_matrix(sparse.coo_array(entries, shape=(size, size)))


def _settings() -> clarabel.DefaultSettings:
    settings = clarabel.DefaultSettings()
    settings.verbose = False
    settings.presolve_enable = False  # required for data updates
    settings.tol_gap_abs = settings.tol_gap_rel = TOLERANCE
    settings.tol_feas = TOLERANCE
    return settings
