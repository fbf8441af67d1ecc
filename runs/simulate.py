"""One run: agents negotiate, the outcome is settled and certified."""

from collections.abc import Callable

import numpy as np

from nashgrid.market.messages import Floats
from nashgrid.market.topics import MONEY
from nashgrid.runs import tables
from nashgrid.runs.certificate import certify
from nashgrid.runs.inputs import with_values
from nashgrid.runs.ledger import settle
from nashgrid.runs.markets import market_named
from nashgrid.runs.markets.market import Market
from nashgrid.runs.model import TradingModel
from nashgrid.runs.outcome import Outcome, Tables
from nashgrid.runs.scenario import Scenario
from nashgrid.runs.summary import summarise


def simulate(
    scenario: Scenario,
    market: str = "nash-bargaining",
    seed: int = 1,
    on_round: Callable[[TradingModel], None] | None = None,
) -> Outcome:
    """Run a market on a scenario.

    Parameters
    ----------
    scenario : what to run
    market : one of `nashgrid markets`
    seed : of everything random; the same seed gives the same outcome, byte for byte
    on_round : called with the model after every round, to show progress

    Raises
    ------
    ValueError
        If there is no such market or seed, an agent's problem is infeasible or the feeder cannot
        carry any schedule; names who, where and by how much. A negotiation that does not
        converge raises nothing: the outcome's certificate says so.
    """
    rule = market_named(market)
    if not 0 <= seed < 2**63:
        raise ValueError(f"seed = {seed} must be at least 0 and below 2^63")
    model = TradingModel(with_values(scenario), rule.exchanges, seed)
    while model.running:
        model.step()
        if on_round is not None:
            on_round(model)
    return _outcome(model, rule, seed)


def _outcome(model: TradingModel, market: Market, seed: int) -> Outcome:
    scenario, wires, cases = model.study, model.wires, market.cases
    prices = tables.prices_table(model, cases)
    trades = tables.trades_table(model, cases)
    settlement, accounts = settle(
        market,
        wires,
        model.roster,
        prices,
        trades,
        device_cost={case: _device_cost(model, case) for case in cases},
        bargained=_bargained(model) if market.bargains else None,
    )
    voltages, lines, losses = tables.network_tables(trades, scenario, wires, cases)
    found = Tables(
        prices=prices,
        trades=trades,
        schedules=tables.schedules_table(model, cases),
        accounts=accounts,
        settlement=settlement,
        rounds=model.datacollector.get_model_vars_dataframe().reset_index(drop=True),
        voltages=voltages,
        lines=lines,
        losses=losses,
    )
    problems = {case: [agent.problems[case] for agent in model.prosumers] for case in cases}
    messages = tables.messages_table(model.post.network.log)
    return Outcome(
        **vars(found),
        scenario=scenario,
        market=market.name,
        seed=seed,
        certificate=certify(market, wires, problems, found),
        summary=summarise(scenario, accounts, found.rounds, messages),
        messages=messages,
    )


def _device_cost(model: TradingModel, case: str) -> Floats:
    """(n,) what the agents' devices cost in a case [currency]."""
    return np.concatenate([np.atleast_1d(one.device_cost(case)) for one in model.traders])


def _bargained(model: TradingModel) -> Floats:
    """(n,) what the agents agreed to pay [currency]."""
    return -np.concatenate([one.seats[MONEY].quantity[:, 0] for one in model.traders])
