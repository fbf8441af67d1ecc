"""One run: agents negotiate, the outcome is settled and certified."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from nashgrid.market.messages import Floats
from nashgrid.market.topics import MONEY_EXCHANGES
from nashgrid.runs import tables
from nashgrid.runs.central import connection_limits
from nashgrid.runs.certificate import certify
from nashgrid.runs.inputs import tariff, with_values
from nashgrid.runs.kept_messages import kept_messages
from nashgrid.runs.kernel_warmup import warm_up
from nashgrid.runs.layers import Layers, layers_of
from nashgrid.runs.led_model import trading_model
from nashgrid.runs.ledger import settle
from nashgrid.runs.markets import market_named
from nashgrid.runs.markets.market import Market
from nashgrid.runs.model import TradingModel
from nashgrid.runs.network_tables import NetworkTables, network_tables
from nashgrid.runs.outcome import Outcome, Tables
from nashgrid.runs.population_memory import memory_statement
from nashgrid.runs.proof import CaseProof
from nashgrid.runs.scenario import Scenario
from nashgrid.runs.summary import summarise


def simulate(
    scenario: Scenario,
    market: str = "nash-bargaining",
    seed: int = 1,
    on_round: Callable[[TradingModel], None] | None = None,
    say: Callable[[str], None] | None = None,
) -> Outcome:
    """Run a market on a scenario.

    Parameters
    ----------
    scenario : what to run
    market : one of `nashgrid markets`
    seed : of everything random; the same seed gives the same outcome, byte for byte
    on_round : called with the model after every round, to show progress
    say : called with words before what takes seconds and is no round

    Raises
    ------
    ValueError
        If there is no such market or seed, memory will not suffice for the population, an agent's
        problem is infeasible or the feeder cannot carry any schedule; names who, where and by how
        much. A negotiation that does not converge raises nothing: the outcome's certificate says
        so.
    """
    rule = market_named(market)
    rule.check(scenario, tariff(scenario))
    found = negotiate(scenario, rule.exchanges, seed, on_round, say)
    return outcome_of(found, rule, seed)


@dataclass(frozen=True)
class Negotiated:
    """What a negotiation came to before any payment: markets that differ in payments share it.

    Parameters
    ----------
    model : of the finished negotiation
    prices, trades, schedules : tables, see `Tables`
    network : what they do in the wires
    layers : what communities with managers and batteries for rent came to
    proofs : of the cases that were proved so far
    refused : exchanges of money that could not be held, and why
    """

    model: TradingModel
    prices: pd.DataFrame
    trades: pd.DataFrame
    schedules: pd.DataFrame
    network: NetworkTables
    layers: Layers
    proofs: dict[str, CaseProof] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)


def negotiate(
    scenario: Scenario,
    exchanges: tuple[str, ...],
    seed: int,
    on_round: Callable[[TradingModel], None] | None = None,
    say: Callable[[str], None] | None = None,
) -> Negotiated:
    """Hold exchanges on a scenario, one after the other.

    An exchange of money that has no meaning on these schedules is noted, and the others go on.

    Raises
    ------
    ValueError
        As `simulate`.
    """
    if not 0 <= seed < 2**63:
        raise ValueError(f"seed = {seed} must be at least 0 and below 2^63")
    if scenario.population is not None:
        memory_statement(scenario.population, scenario)
    study = with_values(scenario)
    model = trading_model(study, exchanges, seed)
    if model.population is not None:
        warm_up(model.population.kernel, exchanges, say)
    refused: dict[str, str] = {}
    while model.running:
        try:
            model.step()
        except ValueError as error:
            topic = "" if model.negotiation is None else model.negotiation.coordinator.topic
            if topic not in MONEY_EXCHANGES:
                raise
            refused[topic] = str(error)
            model.end_negotiation()
            continue
        if on_round is not None:
            on_round(model)
    cases = [topic for topic in exchanges if topic not in MONEY_EXCHANGES]
    prices, trades = tables.prices_table(model, cases), tables.trades_table(model, cases)
    connection_kw = connection_limits(model.study, model.wires)
    return Negotiated(
        model,
        prices,
        trades,
        tables.schedules_table(model, cases),
        network_tables(prices, trades, model.wires, cases, connection_kw),
        layers_of(model),
        refused=refused,
    )


def outcome_of(found: Negotiated, market: Market, seed: int) -> Outcome:
    """Settle and certify a negotiation by the rule of a market.

    Raises
    ------
    ValueError
        If the market needs exchanges that were not held, or its rule has no meaning here.
    """
    model, cases = found.model, market.cases
    missing = [topic for topic in market.exchanges if topic not in model.coordinators]
    if missing:
        raise ValueError(f"the market {market.name} needs the exchange {missing[0]!r}")
    if market.money in found.refused:
        raise ValueError(f"market {market.name}: {found.refused[market.money]}")
    layers = found.layers.of(cases[-1])
    settlement, accounts = settle(
        market,
        model.wires,
        model.roster,
        found.prices,
        found.trades,
        device_cost={case: _device_cost(model, case) for case in cases},
        bargained=None if market.money is None else _bargained(model, market.money),
        layers=layers,
    )
    rounds = model.datacollector.get_model_vars_dataframe()
    own = Tables(
        prices=found.prices,
        trades=found.trades,
        schedules=found.schedules,
        accounts=accounts,
        settlement=settlement,
        rounds=rounds[rounds["topic"].isin(market.exchanges)].reset_index(drop=True),
        charges_tried=model.charges_tried,
        **vars(found.network),
        **layers.tables(found.trades, model.wires),
    )
    problems = {case: [agent.problems[case] for agent in model.prosumers] for case in cases}
    messages = kept_messages(model.post.network.log, market.exchanges, model.counterparty.unique_id)
    return Outcome(
        **vars(own),
        scenario=model.study,
        market=market.name,
        seed=seed,
        certificate=certify(market, model.wires, problems, own, messages, found.proofs),
        summary=summarise(
            model.study,
            accounts,
            own.schedules,
            own.rounds,
            messages,
            own.levels,
            own.charges_tried,
        ),
        messages=messages,
    )


def _device_cost(model: TradingModel, case: str) -> Floats:
    """(n,) what the agents' devices cost in a case [currency]."""
    return np.concatenate([np.atleast_1d(one.device_cost(case)) for one in model.traders])


def _bargained(model: TradingModel, topic: str) -> Floats:
    """What agents and managers agreed to pay in an exchange of money [currency]."""
    payers = (*model.traders, *model.managers)
    return -np.concatenate([one.seats[topic].quantity[:, 0] for one in payers])
