"""One run: agents negotiate, the outcome is settled and certified."""

from collections.abc import Callable

from nashgrid.agents.bargainer import MONEY
from nashgrid.agents.prosumer import TRADING, UTILITY_ONLY
from nashgrid.runs import tables
from nashgrid.runs.accounts import accounts_table
from nashgrid.runs.certificate import certify
from nashgrid.runs.inputs import with_values
from nashgrid.runs.ledger import Trades, payments, settlement_table
from nashgrid.runs.markets import MARKETS
from nashgrid.runs.model import TradingModel
from nashgrid.runs.outcome import Outcome
from nashgrid.runs.scenario import Scenario
from nashgrid.runs.summary import summarise

TOPICS = {
    "utility-only": (UTILITY_ONLY,),
    "competitive": (UTILITY_ONLY, TRADING),
    "two-part": (UTILITY_ONLY, TRADING),
    "nash-bargaining": (UTILITY_ONLY, TRADING, MONEY),
}


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
    if market not in TOPICS:
        raise ValueError(f"there is no market {market!r}; the markets are {', '.join(MARKETS)}")
    if not 0 <= seed < 2**63:
        raise ValueError(f"seed = {seed} must be at least 0 and below 2^63")
    scenario = with_values(scenario)
    model = TradingModel(scenario, TOPICS[market], seed)
    while model.running:
        model.step()
        if on_round is not None:
            on_round(model)
    return _outcome(model, market, seed)


def _outcome(model: TradingModel, market: str, seed: int) -> Outcome:
    scenario, wires, counterparty = model.study, model.wires, model.counterparty
    cases = [topic for topic in TOPICS[market] if topic != MONEY]
    last = cases[-1]
    hours = scenario.horizon.slot_hours
    prices = tables.prices_table(model, cases)
    trades = tables.trades_table(model, cases)
    schedules = tables.schedules_table(model, cases)
    voltages, lines, losses = tables.network_tables(trades, scenario, wires, cases)
    price = counterparty.price(last)
    settled = Trades(
        baseline_kw={a.name: a.trade_kw(UTILITY_ONLY) for a in model.prosumers},
        trade_kw={a.name: a.trade_kw(last) for a in model.prosumers},
        price_per_kwh={
            a.name: price[:, wires.places.index(a.connection.place)] for a in model.prosumers
        },
        bargained={
            a.name: -float(a.trade_kw(MONEY)[0]) for a in model.prosumers if MONEY in a.seats
        },
        losses_kw=wires.losses_kw(counterparty.demand_kw[last]),
    )
    settlement = settlement_table(payments(market, settled, scenario, wires, counterparty.name))
    accounts = accounts_table(
        scenario,
        counterparty.name,
        cost_before=_costs_before(model),
        bills=[a.tariff.bill(a.trade_kw(UTILITY_ONLY), hours) for a in model.prosumers],
        own_cost={agent.name: agent.device_cost(last) for agent in model.prosumers},
        settlement=settlement,
    )
    rounds = model.datacollector.get_model_vars_dataframe().reset_index(drop=True)
    messages = tables.messages_table(model.post.network.log)
    certificate = certify(
        scenario,
        wires,
        {topic: [agent.problems[topic] for agent in model.prosumers] for topic in cases},
        market,
        counterparty.name,
        prices=prices,
        trades=trades,
        schedules=schedules,
        accounts=accounts,
        rounds=rounds,
        voltages=voltages,
        lines=lines,
        losses=losses,
    )
    return Outcome(
        scenario=scenario,
        market=market,
        seed=seed,
        certificate=certificate,
        summary=summarise(scenario, accounts, rounds, messages),
        prices=prices,
        trades=trades,
        schedules=schedules,
        accounts=accounts,
        settlement=settlement,
        rounds=rounds,
        voltages=voltages,
        lines=lines,
        losses=losses,
        messages=messages,
    )


def _costs_before(model: TradingModel) -> dict[str, float]:
    """Cost of everybody with the utility alone, losses included."""
    before = dict(zip(model.roster["agent"], model.cost(UTILITY_ONLY).tolist(), strict=True))
    return {**before, model.counterparty.name: model.loss_cost_before}
