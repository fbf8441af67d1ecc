"""Who learns what: every message of a run, field by field, and what coordinators keep."""

from collections.abc import Iterator

import numpy as np
import pytest

from nashgrid.agents.cloud import Cloud
from nashgrid.market.message_network import Transmission
from nashgrid.market.messages import Messages
from nashgrid.runs.inputs import with_values
from nashgrid.runs.markets import MARKETS
from nashgrid.runs.model import TradingModel
from nashgrid.runs.scenario import Scenario
from nashgrid.runs.scenario_files import load_scenario

SLOTS = 4
FIELDS = {
    "quote": {"price", "imbalance", "step", "memory_slot", "mixing_weights"},
    "offer": {"quantity", "squared_norm", "residual_products"},
    "closing": {"price"},
    "commitment": {"quantity"},
    "remainder": {"quantity"},
    "enrolment sums": {"size", "connection_kw", "lowest_kw", "highest_kw"},
}


def crowd(count: int) -> Scenario:
    """`duet` with as many buildings, each like one of the two but for its load."""
    duet = load_scenario("duet")
    buildings = []
    for number in range(count):
        like = duet.buildings[number % 2]
        values = tuple(value * (1 + 0.1 * number) for value in like.loads[0].values or ())
        load = like.loads[0].model_copy(update={"values": values})
        buildings.append(like.model_copy(update={"name": f"House {number}", "loads": (load,)}))
    return duet.model_copy(update={"buildings": tuple(buildings)})


def finished(scenario: Scenario) -> TradingModel:
    model = TradingModel(with_values(scenario), MARKETS["nash-bargaining"].exchanges, seed=1)
    while model.running:
        model.step()
    return model


@pytest.fixture(scope="module")
def model() -> TradingModel:
    return finished(crowd(3))


def sent(model: TradingModel, *kinds: str) -> Iterator[Messages]:
    log: list[tuple[int, Transmission]] = model.post.network.log
    columns = [transmission.messages for _, transmission in log]
    return (column for column in columns if column.kind in kinds)


def test_fields_are_these_and_no_others(model: TradingModel) -> None:
    for kind, fields in FIELDS.items():
        seen = [set(column.fields) for column in sent(model, kind)]
        assert seen, kind
        assert all(one == fields for one in seen), kind
    allowed = {
        frozenset({"size", "connection_kw", "lowest_kw", "highest_kw"}),
        frozenset({"size"}),
        frozenset({"size", "saving", "weight"}),
    }
    assert {frozenset(column.fields) for column in sent(model, "enrolment")} == allowed
    everything = set(FIELDS) | {"enrolment"}
    assert {transmission.messages.kind for _, transmission in model.post.network.log} == everything


def test_widths_do_not_grow_with_the_number_of_agents(model: TradingModel) -> None:
    memory = load_scenario("duet").negotiation.memory
    widths = {
        "price": SLOTS,
        "imbalance": SLOTS,
        "quantity": SLOTS,
        "step": 1,
        "memory_slot": 1,
        "mixing_weights": memory,
        "squared_norm": 1,
        "residual_products": memory + 1,
    }
    for count in (3, 6):
        one = model if count == 3 else finished(crowd(6))
        for column in sent(one, "quote", "offer", "closing", "commitment", "remainder"):
            for name, values in column.fields.items():
                by_commodity = name in ("price", "imbalance", "quantity")
                width = 1 if column.topic == "money" and by_commodity else widths[name]
                assert values.shape == (len(column), width)


def test_everybody_speaks_with_coordinators_alone(model: TradingModel) -> None:
    coordinators = {one.unique_id for one in model.coordinators.values()}
    for _, transmission in model.post.network.log:
        ends = zip(transmission.messages.senders.tolist(), transmission.messages.receivers.tolist())
        assert all((a in coordinators) != (b in coordinators) for a, b in ends)


def test_quotes_say_the_same_to_all(model: TradingModel) -> None:
    # All trade all commodities here: a quote that told one of another's state would differ.
    for column in sent(model, "quote"):
        for values in column.fields.values():
            assert (values == values[0]).all()


def test_what_a_coordinator_says_follows_from_sums(model: TradingModel) -> None:
    """The imbalance is that of the sum of offers, and no message repeats another's quantity."""
    said: dict[int, list[np.ndarray]] = {}
    for column in sent(model, "offer"):
        if column.topic == "trading":
            for sender, quantity in zip(column.senders.tolist(), column.fields["quantity"]):
                said.setdefault(sender, []).append(quantity)
    sums = np.sum(list(said.values()), axis=0)
    sizes = sum(
        column.fields["size"].sum(axis=0)
        for column in sent(model, "enrolment")
        if column.topic == "trading"
    )
    quoted = [
        column.fields["imbalance"][0]
        for column in sent(model, "quote")
        if column.topic == "trading"
    ]
    np.testing.assert_allclose(np.array(quoted)[1:], (sums / sizes)[:-1], atol=1e-12)
    secrets = {quantity.tobytes() for offers in said.values() for quantity in offers}
    for column in sent(model, "quote", "closing", "remainder", "enrolment sums"):
        for values in column.fields.values():
            if values.shape[1] == SLOTS and values.any():
                assert not {row.tobytes() for row in values} & secrets


def arrays_of(one: object, seen: set[int], path: str = "") -> Iterator[tuple[str, np.ndarray]]:
    """Every array that a coordinator can reach, except through its model."""
    if id(one) in seen:
        return
    seen.add(id(one))
    if isinstance(one, np.ndarray):
        yield path, one
    elif isinstance(one, dict):
        for key, value in one.items():
            yield from arrays_of(value, seen, f"{path}[{key}]")
    elif isinstance(one, (list, tuple)):
        for value in one:
            yield from arrays_of(value, seen, f"{path}[]")
    elif type(one).__module__.startswith("nashgrid.") and hasattr(one, "__dict__"):
        for name, value in vars(one).items():
            if name != "model":
                yield from arrays_of(value, seen, f"{path}.{name}")


def holdings(model: TradingModel) -> dict[str, int]:
    """Numbers a coordinator holds after its exchange, by where; addresses of members apart."""
    one: Cloud = model.coordinators["trading"]
    found: dict[str, int] = {}
    for path, array in arrays_of(one, set()):
        of_members = (".members.addresses", ".members.trades", ".members.commodities")
        if not path.endswith(of_members) and ".heard" not in path:
            found[path] = found.get(path, 0) + array.size
    return found


def test_no_coordinator_holds_anything_that_grows_with_the_agents(model: TradingModel) -> None:
    few, many = holdings(model), holdings(finished(crowd(6)))
    assert few
    assert few == many
    memory = load_scenario("duet").negotiation.memory
    # The largest thing it keeps: prices of the rounds in the memory, and their inner products.
    assert max(few.values()) == memory * max(SLOTS, memory)


def test_the_inbox_is_emptied_after_every_round() -> None:
    model = TradingModel(with_values(crowd(3)), MARKETS["nash-bargaining"].exchanges, seed=1)
    rounds = 0
    while model.running:
        model.step()
        if model.negotiation is not None:
            rounds += 1
            heard = [b.heard for b in model.negotiation.coordinator._benches]
            assert not any(heard)
    assert rounds > 10
