"""The counterparty: its seat, its part of the exchange, its remainder."""

import mesa
import numpy as np
import pytest

from nashgrid.agents.counterparty import Utility
from nashgrid.agents.local_problem import Tariff
from nashgrid.agents.utility_supply import UtilitySupply
from nashgrid.market.exchange import ExchangeRules
from nashgrid.market.messages import one_message

RULES = ExchangeRules(step=0.5, tolerance=1e-6, over_relaxation=1.0, memory=2)
TARIFF = Tariff(np.array([0.3, 0.3, 0.4]), np.array([0.1, 0.1, 0.1]))


def utility(slots: int = 3, limit_kw: float = 20.0) -> tuple[Utility, list[object]]:
    asked: list[object] = []

    def delivery(topic: str, limits: np.ndarray) -> UtilitySupply:
        asked.append((topic, limits.tolist()))
        return UtilitySupply(TARIFF, limit_kw, 0.5)

    agent = Utility(
        mesa.Model(rng=1),
        "utility",
        slots=slots,
        places=1,
        slot_hours=0.5,
        delivery=delivery,
        rules=RULES,
    )
    return agent, asked


def tell(agent: Utility, kind: str, **fields: list[float]) -> None:
    content = {name: np.array(values, dtype=float) for name, values in fields.items()}
    agent.receive(one_message(kind, "trading", 9, agent.unique_id, content, 2.0))


def enrol(agent: Utility, lowest: float = -5.0, highest: float = 5.0) -> None:
    tell(
        agent,
        "enrolment sums",
        size=[6.0] * 3,
        connection_kw=[8.0, 8.0, 8.0],
        lowest_kw=[lowest] * 3,
        highest_kw=[highest] * 3,
    )


def test_enrols_with_the_size_of_all_the_others() -> None:
    agent, asked = utility()
    enrol(agent)
    assert asked == [("trading", [8.0])]
    (reply,) = agent.outbox
    assert (reply.kind, reply.receivers[0], reply.sent_s[0]) == ("enrolment", 9, 2.0)
    assert set(reply.fields) == {"size"}
    assert reply.fields["size"].tolist() == [[6.0] * 3]


def test_answers_a_quote_by_selling() -> None:
    agent, _ = utility()
    enrol(agent)
    agent.outbox.clear()
    quote = {"imbalance": [0.0] * 3, "step": [0.6], "memory_slot": [-1], "mixing_weights": [0, 0]}
    tell(agent, "quote", price=[0.4, 0.2, 0.3], **quote)
    # Stiffness .6 / 6 = .1 currency/kW2h: sold where the price beats .3 by .1, 1 kW; nothing in
    # between; nothing at .3 against .4.
    np.testing.assert_allclose(agent.seats["trading"].quantity[0], [-1.0, 0.0, 0.0])
    np.testing.assert_allclose(agent.outbox[0].fields["quantity"], [[-1.0, 0.0, 0.0]])
    tell(agent, "quote", price=[0.05, 0.0, 0.4], **quote)
    # Bought at .05 against .1: half a kW; at 0: one.
    np.testing.assert_allclose(agent.seats["trading"].quantity[0], [0.5, 1.0, 0.0])


def test_takes_the_remainder_whatever_it_said() -> None:
    agent, _ = utility()
    enrol(agent)
    agent.outbox.clear()
    tell(agent, "closing", price=[0.3, 0.1, 0.4])
    assert not agent.outbox
    tell(agent, "remainder", quantity=[-2.0, 4.0, 0.0])
    np.testing.assert_array_equal(agent.demand_kw["trading"], [[2.0], [-4.0], [0.0]])
    np.testing.assert_array_equal(agent.price("trading"), [[0.3], [0.1], [0.4]])
    # .5 h x (2 x .3 - 4 x .1)
    assert agent.cost("trading") == pytest.approx(0.1)


def test_impossible_ranges_are_refused_before_the_first_quote() -> None:
    agent, _ = utility(limit_kw=4.0)
    enrol(agent, lowest=4.0)
    with pytest.raises(ValueError, match=r"utility: no schedule .* slot 0: .*limit of 4 kW .*0.5"):
        enrol(agent, lowest=4.5)


def test_commodities_run_slot_by_slot_within_a_place() -> None:
    agent = Utility(
        mesa.Model(rng=1),
        "operator",
        slots=3,
        places=2,
        slot_hours=1.0,
        delivery=lambda topic, limits: UtilitySupply(TARIFF, 1.0, 1.0),
        rules=RULES,
    )
    tell(agent, "closing", price=[0.1, 0.2, 0.3, 0.4, 0.5, 0.6])
    assert agent.price("trading").tolist() == [[0.1, 0.4], [0.2, 0.5], [0.3, 0.6]]
