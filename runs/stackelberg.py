"""A Stackelberg game: who runs the community leads with a charge, the agents follow.

Each kWh that an agent buys from the community costs the middle of retail and feed-in price and the
charge; each kWh that it sells earns the middle less the charge. The leader buys from the utility
what is missing and sells it what is left, at the tariff, and pays for the losses of the wires. It
sets the charge as a share s of half the tariff's spread, the same in all slots, and knows that the
agents answer:

    profit(s) = sum_i pay_i(x_i(s)) - upstream(sum_i x_i(s)),   x_i(s) = argmin C_i(x) + pay_i(x; s)

A leader that covers its costs takes the least s whose profit is enough; one that earns takes the s
of most profit. At s = 1 everybody pays the tariff, at s = 0 there is one price. For s <= 1 no agent
pays more than it would pay the utility for the same trade, so nobody loses by following.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from nashgrid.agents.compiled_problem import CompiledProblem
from nashgrid.agents.local_problem import LocalProblem, Tariff
from nashgrid.market.messages import Floats
from nashgrid.market.topics import TRADING
from nashgrid.runs import inputs
from nashgrid.runs.assembly import connection
from nashgrid.runs.central import connection_limits
from nashgrid.runs.plain_market import require_plain
from nashgrid.runs.positions import WORTH_NAMING_KW, WORTH_NAMING_PU
from nashgrid.runs.scenario import Scenario
from nashgrid.runs.wires import Wires, lay_wires

_GOLDEN = (5**0.5 - 1) / 2


@dataclass(frozen=True)
class Following:
    """What a charge leads to.

    Attributes
    ----------
    share : s, of half the spread between retail and feed-in price
    charge_per_kwh : (T,) s (retail - feed-in) / 2 [currency/kWh]
    profit : of the leader [currency]
    trade_kw : (n, T) answers of the agents [kW]
    cost : (n,) what each pays and its devices cost [currency]
    epsilon : (n,) what each could gain at most by another answer, by weak duality [currency]
    violation_kw, violation_pu : of the limits of wires and exchange; the leader has to keep them
    """

    share: float
    charge_per_kwh: Floats
    profit: float
    trade_kw: Floats
    cost: Floats
    epsilon: Floats
    violation_kw: float
    violation_pu: float

    @property
    def admissible(self) -> bool:
        """Whether all limits are kept."""
        return self.violation_kw <= WORTH_NAMING_KW and self.violation_pu <= WORTH_NAMING_PU


@dataclass(frozen=True)
class StackelbergOutcome:
    """The leader's choice, and all that it tried.

    Attributes
    ----------
    agents : (n,) names
    chosen : of the charges tried that keep the limits the one that serves the aim best
    tried : every charge, by rising share
    """

    agents: tuple[str, ...]
    chosen: Following
    tried: tuple[Following, ...]


def stackelberg(
    scenario: Scenario,
    aim: str = "cover",
    *,
    required: float = 0.0,
    grid: int = 11,
    tolerance: float = 0.01,
) -> StackelbergOutcome:
    """Let the leader search its charge, knowing every follower's best answer.

    First an even grid of shares from 0 to 1, then between the neighbours of the best one: halving
    to cover, golden sections to earn. What is guaranteed: each follower's answer is its best, to
    its epsilon; the limits are kept; no charge that was tried and keeps them serves the aim better.
    What is not: the profit need not rise with the charge and may have several peaks, so a better
    one may lie between those tried; where a follower is indifferent, one of its answers is taken;
    and charges that differ by slot or bus could do better.

    Parameters
    ----------
    scenario : with agents that it names
    aim : "cover": the least charge whose profit is at least `required`; "profit": the most profit
    required : what the leader has to earn, to cover [currency]
    grid : how many shares to try first, at least 3
    tolerance : of the share found, in (0, 1)

    Raises
    ------
    ValueError
        If a parameter has no meaning, the scenario has a population, no charge tried keeps the
        limits (no price of congestion helps the wires here), or none earns what is required.
    """
    if aim not in ("cover", "profit"):
        raise ValueError(f"aim must be cover or profit, got {aim!r}")
    if grid < 3 or not 0 < tolerance < 1:
        raise ValueError(f"grid = {grid} must be >= 3 and tolerance = {tolerance:g} in (0, 1)")
    if scenario.population is not None:
        raise ValueError(
            f"{scenario.name}: the buildings of a population follow no leader; name the agents"
        )
    require_plain(scenario, f"{scenario.name}: who follows a leader")
    scenario = inputs.with_values(scenario)
    trial = _Trial(scenario, lay_wires(scenario))
    shares = np.linspace(0.0, 1.0, grid).tolist()
    values = [trial.profit(share) for share in shares]
    trial.require_admissible()
    if aim == "cover":
        enough = [number for number, value in enumerate(values) if value >= required]
        if not enough:
            raise ValueError(
                f"no charge earns {required:g} {scenario.currency}: the most is {max(values):.6g}"
            )
        share = _least_enough(trial, shares, enough[0], required, tolerance)
    else:
        share = _most(trial, shares, int(np.argmax(values)), tolerance)
    names = tuple(entry.name for entry in scenario.agents)
    return StackelbergOutcome(names, trial.tried[share], trial.in_order())


class _Trial:
    """What every charge led to so far."""

    def __init__(self, scenario: Scenario, wires: Wires) -> None:
        self._scenario, self._wires = scenario, wires
        self.tried: dict[float, Following] = {}

    def profit(self, share: float) -> float:
        """Of the leader; minus infinity where a limit is not kept [currency]."""
        if share not in self.tried:
            self.tried[share] = _follow(self._scenario, self._wires, share)
        found = self.tried[share]
        return found.profit if found.admissible else -np.inf

    def require_admissible(self) -> None:
        """Refuse to lead where no charge keeps the limits."""
        if any(one.admissible for one in self.tried.values()):
            return
        least = min(self.tried.values(), key=lambda one: (one.violation_kw, one.violation_pu))
        raise ValueError(
            f"no charge keeps the limits: at share {least.share:.3g} they are exceeded by "
            f"{least.violation_kw:.3g} kW and {least.violation_pu:.3g} pu; a market with prices of "
            "congestion may"
        )

    def in_order(self) -> tuple[Following, ...]:
        """By rising share."""
        return tuple(self.tried[share] for share in sorted(self.tried))


def _least_enough(
    trial: _Trial, shares: Sequence[float], first: int, required: float, tolerance: float
) -> float:
    """Halve between the first share that earns enough and the one before."""
    high = shares[first]
    low = shares[max(first - 1, 0)]
    while high - low > tolerance:
        middle = (low + high) / 2
        low, high = (low, middle) if trial.profit(middle) >= required else (middle, high)
    return high


def _most(trial: _Trial, shares: Sequence[float], best: int, tolerance: float) -> float:
    """Golden sections between the neighbours of the best share; the best of all tried."""
    low, high = shares[max(best - 1, 0)], shares[min(best + 1, len(shares) - 1)]
    while high - low > tolerance:
        inner = high - _GOLDEN * (high - low), low + _GOLDEN * (high - low)
        better = trial.profit(inner[0]) >= trial.profit(inner[1])
        low, high = (low, inner[1]) if better else (inner[0], high)
    return max(sorted(trial.tried), key=trial.profit)


def _follow(scenario: Scenario, wires: Wires, share: float) -> Following:
    """Everybody's answer to a charge, and what it earns."""
    retail, feed_in = wires.tariff.retail_price_per_kwh, wires.tariff.feed_in_price_per_kwh
    charge = share * (retail - feed_in) / 2
    middle = (retail + feed_in) / 2
    terms = Tariff(middle + charge, middle - charge)
    trades, costs, epsilons = [], [], []
    for entry in scenario.agents:
        problem = CompiledProblem(
            LocalProblem(
                entry.name,
                inputs.devices(entry, scenario),
                inputs.horizon(scenario),
                connection(entry, scenario).limit_kw,
                terms,
            )
        )
        nothing = np.zeros(scenario.horizon.slots)
        answer = problem.solve(nothing, nothing)
        cost = float(problem.at(answer.point).statement.objective.value)
        trades.append(problem.trade(answer))
        costs.append(cost)
        epsilons.append(cost - problem.lower_bound(nothing, answer))
    trade_kw, demand = np.array(trades), np.zeros((scenario.horizon.slots, len(wires.places)))
    for place, trade in zip(wires.place_of([e.bus or 0 for e in scenario.agents]), trades):
        demand[:, place] += trade
    delivery = wires.delivery(TRADING, connection_limits(scenario, wires))
    paid = terms.bills(trade_kw, scenario.horizon.slot_hours).sum()
    over_kw, over_pu = delivery.violation(demand)
    return Following(
        share,
        charge,
        float(paid) - delivery.cost(demand),
        trade_kw,
        np.array(costs),
        np.array(epsilons),
        over_kw,
        over_pu,
    )
