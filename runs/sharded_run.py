"""One run whose population is held by workers: its outcome has sums where others have rows.

What every building pays and saves stands in the accounts, a row each. Power by building and slot
would be the larger part of a million buildings' files, and stays with the workers: trades,
schedules and settlement are summed over the buildings of a kind at a bus.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from nashgrid.market.messages import Floats
from nashgrid.market.settlement import net_payments
from nashgrid.runs import tables
from nashgrid.runs.accounts import accounts_of
from nashgrid.runs.certificate import certificate_of
from nashgrid.runs.group_sums import GROUP, Groups, group_settlement
from nashgrid.runs.inputs import tariff, with_values
from nashgrid.runs.layers import NO_LAYERS
from nashgrid.runs.ledger import payments_of
from nashgrid.runs.markets import market_named
from nashgrid.runs.markets.books import Books
from nashgrid.runs.markets.market import Market
from nashgrid.runs.markets.trades import Terms, Trades
from nashgrid.runs.message_audit import audit
from nashgrid.runs.network_tables import network_tables
from nashgrid.runs.outcome import Outcome, Tables
from nashgrid.runs.report import write_report
from nashgrid.runs.rounding import rounding_of
from nashgrid.runs.scenario import Scenario
from nashgrid.runs.shard_proof import prove_shards
from nashgrid.runs.shard_workers import Crew
from nashgrid.runs.sharded_model import ShardedModel
from nashgrid.runs.summary import summarise

SUMS_ONLY = (
    "trades, schedules and settlement are sums over the buildings of a kind at a bus; best "
    "responses and constraints of every building were proved where it was held"
)
SHARES = (0, 1, 5, 25, 50, 75, 95, 99, 100)
"""Percent of the buildings of a kind for which the summary says how much they save at most."""


@dataclass(frozen=True)
class SummedOutcome(Outcome):
    """An outcome whose population appears in sums, but for its accounts.

    Attributes
    ----------
    groups : accounts of the groups, as the report shows them
    """

    groups: pd.DataFrame

    def report(self, path: str | Path) -> Path:
        """Write the report, in which every group is an agent."""
        shown = replace(
            self,
            accounts=self.groups,
            scenario=self.scenario.model_copy(update={"population": None}),
        )
        return write_report(shown, Path(path))


def simulate_with_workers(
    scenario: Scenario,
    market: str,
    seed: int,
    crew: Crew,
    on_round: Callable[[ShardedModel], None] | None = None,
) -> SummedOutcome:
    """Run a market on a scenario with a population: prices, trades and costs as in one process.

    Parameters
    ----------
    scenario, market, seed, on_round : see `nashgrid.runs.simulate.simulate`
    crew : starts the workers

    Raises
    ------
    ValueError
        As `simulate`; and if the market's exchanges need more of the buildings than sums.
    """
    rule = market_named(market)
    rule.check(scenario, tariff(scenario))
    model = ShardedModel(with_values(scenario), rule.exchanges, seed, crew)
    while model.running:
        model.step()
        if on_round is not None:
            on_round(model)
    return _outcome(model, rule, seed)


def _outcome(model: ShardedModel, market: Market, seed: int) -> SummedOutcome:
    wires, cases = model.wires, market.cases
    groups = Groups.of(model.roster, len(model.prosumers))
    trade_kw = {case: model.trade_kw(case) for case in cases}
    trades = _trades_table(model, groups, trade_kw)
    settled = _trades(model, market, trade_kw)
    settlement, accounts = _settle(model, market, groups, settled)
    prices = tables.prices_table(model, cases)
    network = network_tables(prices, trades, wires, cases, model.connection_kw)
    own = Tables(
        prices=prices,
        trades=trades,
        schedules=_schedules_table(model, groups, trade_kw),
        accounts=accounts,
        settlement=settlement,
        rounds=model.datacollector.get_model_vars_dataframe(),
        charges_tried=model.charges_tried,
        **vars(network),
        **NO_LAYERS.tables(trades, wires),
    )
    proofs = {case: prove_shards(model, case, trade_kw[case]) for case in cases}
    traded_kwh = np.abs(trade_kw[cases[-1]]).sum(axis=1) * model.study.horizon.slot_hours
    rounding = rounding_of(market, wires, own.prices, traded_kwh, accounts)
    books = Books(
        accounts,
        rounding,
        proofs[cases[-1]].money_cost,
        model.study.negotiation.tolerance,
        settled,
    )
    both_ways = max(
        float(max(model.gather("both_ways_kw", case))) for case in cases
    )  # of the population's storages
    messages = tables.messages_table(model.post.network.log)
    heard = audit(messages, wires, model.roster)
    certificate = certificate_of(market, wires, proofs, books, own, heard, both_ways)
    certificate["sums_only"] = SUMS_ONLY
    summary = summarise(
        model.study,
        accounts,
        own.schedules,
        own.rounds,
        messages,
        own.levels,
        own.charges_tried,
    )
    summary["workers"] = len(model.shards)
    summary["saving_of_buildings"] = _savings(accounts[len(model.prosumers) : len(model.roster)])
    return SummedOutcome(
        **vars(own),
        scenario=model.study,
        market=market.name,
        seed=seed,
        certificate=certificate,
        summary=summary,
        messages=messages,
        groups=groups.accounts(accounts),
    )


def _trades(model: ShardedModel, market: Market, trade_kw: Mapping[str, Floats]) -> Trades:
    wires, first, last = model.wires, market.cases[0], market.cases[-1]
    price = model.counterparty.price(last)
    feeder = wires.feeder is not None
    return Trades(
        agents=tuple(model.roster["agent"]),
        baseline_kw=trade_kw[first],
        trade_kw=trade_kw[last],
        price_per_kwh=price.T[model.place],
        terms=Terms(
            model.study.horizon.slot_hours,
            wires.tariff.retail_price_per_kwh,
            wires.tariff.feed_in_price_per_kwh,
            wires.loss_price_per_kwh,
            wires.losses_kw(last, model.counterparty.demand_kw[last]) if feeder else None,
        ),
        bargained=model.bargained() if market.bargains else None,
    )


def _settle(
    model: ShardedModel, market: Market, groups: Groups, settled: Trades
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Settlement by group, and the accounts of every agent."""
    wires, first, last = model.wires, market.cases[0], market.cases[-1]
    payments = payments_of(market, settled)
    parties = settled.parties
    net = net_payments(payments, len(parties), residual=len(model.roster))
    operator = None if wires.feeder is None else model.study.bargaining.operator_weight
    accounts = accounts_of(
        model.roster,
        net,
        device_cost_before=model.device_cost(first),
        device_cost=model.device_cost(last),
        bills=wires.tariff.bills(settled.baseline_kw, settled.terms.slot_hours),
        loss_cost_before=wires.loss_cost(first, model.counterparty.demand_kw[first]),
        operator_weight=operator,
    )
    return group_settlement(groups, payments, parties), accounts


def _trades_table(
    model: ShardedModel, groups: Groups, trade_kw: Mapping[str, Floats]
) -> pd.DataFrame:
    """case, agent, kind, community, bus, slot, trade_kw, the population's by group."""
    slots, name = model.study.horizon.slots, model.counterparty.name
    last = pd.DataFrame({"agent": name, "kind": name, "community": "", "bus": model.wires.places})
    everybody = pd.concat([groups.roster, last], ignore_index=True)[[*last]]
    rows = everybody.loc[np.repeat(everybody.index, slots)].reset_index(drop=True)
    rows["slot"] = np.tile(np.arange(slots), len(everybody))
    frames = []
    for case, power in trade_kw.items():
        sold = -model.counterparty.demand_kw[case].T
        values = np.concatenate([groups.sums(power), sold]).ravel()
        frame = rows.assign(trade_kw=values)
        frame.insert(0, "case", case)
        frames.append(frame)
    return pd.concat(frames, ignore_index=True)


def _schedules_table(
    model: ShardedModel, groups: Groups, trade_kw: Mapping[str, Floats]
) -> pd.DataFrame:
    """case, agent, device, slot and the decisions of devices, the population's by group.

    A group has its load as a device, so that its devices consume what it buys.
    """
    frames, keys = [], [*GROUP, "device", "slot"]
    for case, power in trade_kw.items():
        frames += [
            tables.schedule_rows(case, agent.name, agent.schedule(case))
            for agent in model.prosumers
        ]
        parts = pd.concat(model.gather("schedule_sums", case), ignore_index=True)
        sums = parts.groupby(keys, sort=False, observed=True).sum(min_count=1).reset_index()
        devices = groups.named(sums)
        load = groups.sums(power)
        row = pd.Index(groups.roster["agent"]).get_indexer(devices["agent"])
        np.subtract.at(load, (row, devices["slot"].to_numpy()), devices["consumption_kw"])
        drawn = groups.roster["agent"].iloc[len(model.prosumers) :]
        own = load[len(model.prosumers) :]
        slots = np.tile(np.arange(load.shape[1]), len(drawn))
        base = {"agent": np.repeat(drawn.to_numpy(), load.shape[1]), "device": "load"}
        base |= {"slot": slots, "consumption_kw": own.ravel()}
        frames += [pd.DataFrame(base).assign(case=case), devices.assign(case=case)]
    return tables.schedules_of(frames)


def _savings(accounts: pd.DataFrame) -> dict[str, dict[str, float]]:
    """kind -> what so many percent of its buildings save at most [currency]."""
    return {
        str(kind): {f"{share} %": float(np.percentile(rows["saving"], share)) for share in SHARES}
        for kind, rows in accounts.groupby("kind", sort=False, observed=True)
    }
