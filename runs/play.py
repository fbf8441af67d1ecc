"""Playing a market by best responses, round after round, in place of negotiating its equilibrium.

Each agent answers what the others do now: it knows the price that they make and what its own power
adds to it. Nothing leads them but their own gain, so they may as well cycle or run away.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from nashgrid.agents.compiled_problem import CompiledProblem
from nashgrid.market.games.trace import period_of, ran_away
from nashgrid.market.messages import Floats, Integers
from nashgrid.market.topics import GAMES
from nashgrid.runs.central import local_problem
from nashgrid.runs.influence import anticipations
from nashgrid.runs.inputs import tariff, with_values
from nashgrid.runs.markets import market_named
from nashgrid.runs.playing_field import PlayingField, playing_field
from nashgrid.runs.positions import agent_position
from nashgrid.runs.scenario import Scenario
from nashgrid.runs.wire_laying import lay_wires

How = Literal["gauss-seidel", "jacobi", "random"]
Ending = Literal["converged", "cycle", "diverged", "unfinished"]
HOWS: tuple[How, ...] = ("gauss-seidel", "jacobi", "random")

_UNFINISHED: tuple[Ending, int] = "unfinished", 0
_RETURNED = 1e-5  # answers are solved to about 1e-10, so a cycle shows no closer than this


@dataclass(frozen=True)
class MarketPlay:
    """The trace of a market that was played.

    Attributes
    ----------
    market : its name
    agents : (n,) names
    ending : "converged": no one wants to move by more than the tolerance. "cycle": the same points
        come back. "diverged": the moves grew a millionfold. "unfinished": the rounds ran out.
    path_kw : (rounds + 1, n, T) trades at the start and after each round [kW]
    prices_per_kwh : (rounds + 1, T) price of the community [currency/kWh]
    distances_kw : (rounds,) largest distance in a round between a trade and its owner's answer, or
        by which a charge still has to move the trades [kW]
    period : rounds after which a cycle repeats; 0 if there is none
    limit_charge_per_kwh : (T,) charge of the exchange limit in the last price, the same for all:
        with it the equilibrium is variational [currency/kWh]
    gains : (n,) what each could still gain at most by a best response, proved by weak duality; None
        unless the play converged [currency]
    """

    market: str
    agents: tuple[str, ...]
    ending: Ending
    path_kw: Floats
    prices_per_kwh: Floats
    distances_kw: Floats
    period: int
    limit_charge_per_kwh: Floats
    gains: Floats | None

    @property
    def trade_kw(self) -> Floats:
        """(n, T) trades at the end [kW]."""
        return np.asarray(self.path_kw[-1])

    @property
    def rounds(self) -> int:
        """How many rounds were played."""
        return len(self.distances_kw)


def play(
    scenario: Scenario,
    market: str = "cournot",
    how: str = "gauss-seidel",
    *,
    movers: int = 1,
    relaxation: float = 1.0,
    proximal: float = 0.0,
    seed: int = 1,
    rounds: int = 200,
    tolerance: float = 1e-6,
) -> MarketPlay:
    """Let the agents of a scenario answer one another in a market.

    Whoever moves goes from x_i to (1 - h) x_i + h B_i, where B_i is its best response with the
    cost of moving dt tau/2 ||B_i - x_i||^2 added. In a round everybody moves once. All start from
    their answers to the price that nobody's trade would make.

    Parameters
    ----------
    scenario : without a feeder: the charges of wires are found by negotiation only
    market : "cournot", or "energy-sharing", where the utility, which takes prices as given, moves
        like everybody else
    how : "gauss-seidel": one after the other; "jacobi": all at once; "random": one after the other
        in an order drawn anew in each round
    movers : for gauss-seidel and random: how many move at once, each blind to the others
    relaxation : h, above 0 and at most 1
    proximal : tau, at least 0 [currency/kW2h]; Jacobi on a Cournot game of n agents without costs
        of their own needs more than b (n - 3) / 2
    seed : of the random orders
    rounds : the play ends after so many
    tolerance : it converged when nobody wants to move by more than this, relative to max(1, |x|)

    Raises
    ------
    ValueError
        If there is no such game or way to play, a parameter has no meaning, or the scenario has a
        feeder or a population.
    """
    if market not in GAMES:
        raise ValueError(f"market {market!r} cannot be played; those that can: {', '.join(GAMES)}")
    if scenario.feeder is not None:
        raise ValueError(
            f"{scenario.name} has a feeder, whose charges are found by negotiation only: play a "
            "scenario without one, or simulate the market"
        )
    market_named(market).check(scenario, tariff(scenario))
    known = anticipations(scenario, tariff(scenario), market) or ()
    _check(how, movers, relaxation, proximal, rounds, tolerance, len(known))
    scenario = with_values(scenario)
    table = _Table(scenario, market, relaxation, proximal)
    draw, size = np.random.default_rng(seed), table.seats if how == "jacobi" else movers
    path, prices, distances = [table.trade_kw()], [table.field.price()], list[float]()
    ending, period = _UNFINISHED
    while ending == "unfinished" and len(distances) < rounds:
        order = np.arange(table.seats)
        if how == "random":
            draw.shuffle(order)
        distances.append(table.round(order, size))
        path.append(table.trade_kw())
        prices.append(table.field.price())
        ending, period = _ending(path, distances, tolerance, may_cycle=how != "random")
    return MarketPlay(
        market=market,
        agents=tuple(entry.name for entry in scenario.agents),
        ending=ending,
        path_kw=np.array(path),
        prices_per_kwh=np.array(prices),
        distances_kw=np.array(distances),
        period=period,
        limit_charge_per_kwh=table.field.limit_charge(),
        gains=table.gains() if ending == "converged" else None,
    )


def _ending(
    path_kw: list[Floats], distances_kw: list[float], tolerance: float, may_cycle: bool
) -> tuple[Ending, int]:
    """How a play ended with its last round, if it did, and the period of its cycle."""
    if distances_kw[-1] <= tolerance * max(1.0, float(np.abs(path_kw[-1]).max())):
        return "converged", 0
    if ran_away(distances_kw[-1], distances_kw[0], path_kw[0]):
        return "diverged", 0
    period = period_of(path_kw, _RETURNED) if may_cycle else 0
    return ("cycle", period) if period else _UNFINISHED


class _Table:
    """Everybody with what they do now; the last seat is the utility's where it moves too."""

    def __init__(self, scenario: Scenario, market: str, relaxation: float, proximal: float) -> None:
        wires = lay_wires(scenario)
        self.field: PlayingField = playing_field(scenario, wires, market)
        self._relaxation, self._proximal = relaxation, proximal
        self._problems = [
            CompiledProblem(local_problem(index, scenario, wires, market))
            for index in range(len(scenario.agents))
        ]
        nothing = np.zeros(scenario.horizon.slots)
        self._hours = scenario.horizon.slot_hours
        opening = self._hours * self.field.opening_price()
        answers = [problem.solve(opening, nothing) for problem in self._problems]
        self._points = [answer.point for answer in answers]
        pairs = zip(self._problems, answers, strict=True)
        self.field.begin(np.array([problem.trade(answer) for problem, answer in pairs]))
        self.seats = len(self._problems) + self.field.supplier_moves

    def trade_kw(self) -> Floats:
        """(n, T) what the agents trade now."""
        return self.field.trade_kw.copy()

    def round(self, order: Integers, size: int) -> float:
        """Everybody moves once, `size` at a time; the largest distance to an answer [kW]."""
        distance = 0.0
        for first in range(0, len(order), size):
            moves = [(int(seat), self._wish(int(seat))) for seat in order[first : first + size]]
            for _, wish in moves:
                distance = max(distance, float(np.abs(wish).max()))
            self.field.move([(seat, self._relaxation * wish) for seat, wish in moves])
        return max(distance, self.field.adjust_charge())

    def gains(self) -> Floats:
        """(n,) what each could gain at most by a best response [currency]."""
        found = []
        for problem, point, view in zip(self._problems, self._points, self.field.views):
            problem.at(point)
            found.append(agent_position(problem, self.field.price(), view).epsilon)
        return np.array(found)

    def _wish(self, seat: int) -> Floats:
        """(T,) from what a seat does to its answer to the others; a schedule goes that way."""
        if seat == len(self._problems):
            return self.field.suppliers_wish(self._proximal)
        problem, now = self._problems[seat], self.field.trade_kw[seat]
        linear, slope = self.field.terms(seat)
        weight = self._hours * (2 * slope + self._proximal)
        answer = problem.solve(self._hours * (linear - self._proximal * now), weight)
        share, before = self._relaxation, self._points[seat]
        self._points[seat] = (1 - share) * before + share * answer.point
        return np.asarray(problem.trade(answer) - now)


def _check(
    how: str,
    movers: int,
    relaxation: float,
    proximal: float,
    rounds: int,
    tolerance: float,
    agents: int,
) -> None:
    """Refuse parameters that have no meaning."""
    if how not in HOWS:
        raise ValueError(f"how must be {', '.join(HOWS)}; got {how!r}")
    if not 1 <= movers <= agents:
        raise ValueError(f"movers must be in 1..{agents}, got {movers}")
    if how == "jacobi" and movers != 1:
        raise ValueError("jacobi moves everybody at once: movers is for gauss-seidel and random")
    if not 0 < relaxation <= 1:
        raise ValueError(
            f"relaxation must lie in (0, 1], got {relaxation:g}: a schedule beyond an answer may "
            "not be feasible"
        )
    if not 0 <= proximal < np.inf:
        raise ValueError(f"proximal must be a finite weight >= 0 currency/kW2h, got {proximal:g}")
    if rounds < 1:
        raise ValueError(f"rounds must be >= 1, got {rounds}")
    if not 0 < tolerance < np.inf:
        raise ValueError(f"tolerance must be positive, got {tolerance:g}")
