"""Proof of one case of a run whose population is held by workers, who prove their buildings."""

from dataclasses import fields

import numpy as np

from nashgrid.agents.anticipation import price_taker
from nashgrid.market.messages import Floats
from nashgrid.runs import tables
from nashgrid.runs.population_proof import PopulationPosition
from nashgrid.runs.positions import (
    agent_position,
    assign,
    delivery_position,
    limits_not_kept,
)
from nashgrid.runs.proof import CaseProof
from nashgrid.runs.shard_workers import ask_all
from nashgrid.runs.sharded_model import ShardedModel


def prove_shards(model: ShardedModel, case: str, trade_kw: Floats) -> CaseProof:
    """Check one case; the optimum is bounded by weak duality, as for any population.

    Parameters
    ----------
    trade_kw : (n, T) of all traders, in order
    """
    wires, slots = model.wires, model.study.horizon.slots
    price, demand = model.counterparty.price(case), model.counterparty.demand_kw[case]
    positions = {}
    view = price_taker(slots)
    for agent, trade, place in zip(model.prosumers, trade_kw, model.place):
        problem = agent.problems[case]
        rows = tables.schedules_of([tables.schedule_rows(case, agent.name, agent.schedule(case))])
        assign(problem.problem, trade, rows, case)
        positions[agent.name] = agent_position(problem, price[:, place], view)
    population = _population(model, case, price)
    delivery = wires.delivery(case, model.connection_kw)
    last = delivery_position(delivery, demand, price, model.study.horizon.slot_hours)
    positions[model.counterparty.name] = last
    bought = np.zeros_like(demand)
    np.add.at(bought.T, model.place, trade_kw)
    total = sum(position.cost for position in positions.values()) + float(population.cost.sum())
    gain = sum(position.epsilon for position in positions.values())
    gain += float(population.epsilon.sum())
    return CaseProof(
        positions=positions,
        managers={},
        rental_imbalance=None,
        population=population,
        imbalance_kw=float(np.abs(bought - demand).max()),
        total_cost=total,
        central_cost=total - gain,
        price_difference=None,
        limits_not_kept=limits_not_kept(delivery, demand, last),
        game=None,
    )


def _population(model: ShardedModel, case: str, price: Floats) -> PopulationPosition:
    at = {
        id(shard.worker): price[:, model.wires.place_of(outline.places)]
        for shard, outline in zip(model.shards, model.outlines)
    }
    workers = [shard.worker for shard in model.shards]
    parts = ask_all(workers, lambda worker: worker.ask("prove", case, at[id(worker)]))
    joined = {
        field.name: np.concatenate([getattr(part, field.name) for part in parts])
        for field in fields(PopulationPosition)
    }
    return PopulationPosition(**joined)
