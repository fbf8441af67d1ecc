"""Who learns what: every message of a run, field by field, and what clouds keep."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from nashgrid.agents.cloud import Cloud
from nashgrid.market.message_network import Transmission
from nashgrid.market.messages import Messages
from nashgrid.market.topics import UTILITY_MONEY
from nashgrid.runs import tables
from nashgrid.runs.charges_tried import led_by
from nashgrid.runs.inputs import with_values
from nashgrid.runs.kept_messages import kept_messages
from nashgrid.runs.led_model import trading_model
from nashgrid.runs.markets import MARKETS
from nashgrid.runs.message_audit import Audit, audit
from nashgrid.runs.model import TradingModel
from nashgrid.runs.roster import roster
from nashgrid.runs.scenario import LeaderEntry, Scenario
from nashgrid.runs.scenario_files import load_scenario
from nashgrid.runs.simulate import simulate
from nashgrid.runs.verify import verify
from nashgrid.runs.wire_laying import lay_wires

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


def test_everybody_speaks_with_clouds_alone(model: TradingModel) -> None:
    coordinators = {one.unique_id for one in model.coordinators.values()}
    for _, transmission in model.post.network.log:
        ends = zip(transmission.messages.senders.tolist(), transmission.messages.receivers.tolist())
        assert all((a in coordinators) != (b in coordinators) for a, b in ends)


def test_quotes_say_the_same_to_all(model: TradingModel) -> None:
    # All trade all commodities here: a quote that told one of another's state would differ.
    for column in sent(model, "quote"):
        for values in column.fields.values():
            assert (values == values[0]).all()


def test_what_a_cloud_says_follows_from_sums(model: TradingModel) -> None:
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
    """Every array that a cloud can reach, except through its model."""
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
    """Numbers a cloud holds after its exchange, by where; addresses of members apart."""
    one: Cloud = model.coordinators["trading"]
    found: dict[str, int] = {}
    for path, array in arrays_of(one, set()):
        of_members = (".members.addresses", ".members.trades", ".members.commodities")
        if not path.endswith(of_members) and ".heard" not in path:
            found[path] = found.get(path, 0) + array.size
    return found


def test_no_cloud_holds_anything_that_grows_with_the_agents(model: TradingModel) -> None:
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


def audited(model: TradingModel) -> Audit:
    return audit(tables.messages_table(model.post.network.log), model.wires, model.roster)


@pytest.mark.parametrize("scenario", ["duet", "village"])
def test_nobody_is_told_too_much_in_any_exchange(scenario: str) -> None:
    exchanges = tuple(dict.fromkeys(t for market in MARKETS.values() for t in market.exchanges))
    if scenario == "village":  # Its sellers cannot do without transfers.
        exchanges = tuple(topic for topic in exchanges if topic != UTILITY_MONEY)
    study = with_values(load_scenario(scenario))
    modest = study.model_copy(update={"leader": LeaderEntry(required=0.1)})  # tries a few charges
    model = trading_model(modest, exchanges, seed=1)
    while model.running:
        model.step()
    log, leader = model.post.network.log, model.counterparty.unique_id
    found = audit(kept_messages(log, exchanges, leader), model.wires, model.roster)
    assert found == Audit((), (), {}, {}, 0)
    assert all(claim["holds"] for claim in found.claims("utility").values())


def test_who_is_alone_at_a_bus_is_named() -> None:
    campus = load_scenario("campus33")
    rules = campus.negotiation.model_copy(update={"maximum_rounds": 3})
    together = campus.buildings[1].model_copy(update={"bus": campus.buildings[0].bus})
    study = campus.model_copy(
        update={
            "buildings": (campus.buildings[0], together, *campus.buildings[2:]),
            "negotiation": rules,
        }
    )
    found = audited(finished(study))
    assert found.to_counterparty == found.to_prosumers == ()
    assert len(found.alone) == 30
    assert found.alone[14] == "Workshop"
    assert campus.buildings[0].bus not in found.alone


class Leak(Cloud):
    """A cloud that says the right kinds of messages with the right fields, and wrong numbers."""

    def _replace(self, kind: str, field: str, row: int, values: np.ndarray) -> None:
        place = max(n for n, column in enumerate(self.outbox) if column.kind == kind)
        fields = dict(self.outbox[place].fields)
        fields[field] = fields[field].copy()
        fields[field][row] = values
        self.outbox[place] = replace(self.outbox[place], fields=fields)


class TellsAnEnrolment(Leak):
    """The operator hears what the first member is able to take, in place of the sum."""

    def tell_sums(self, receiver: int, now_s: float) -> None:
        own = self._benches[0].heard["highest_kw"][0].copy()
        super().tell_sums(receiver, now_s)
        self._replace("enrolment sums", "highest_kw", 0, own)


class TellsASchedule(Leak):
    """The operator hears what the first member committed to, in place of the remainder."""

    def tell_remainder(self, receiver: int, now_s: float) -> None:
        own = self._benches[0].heard["quantity"][0].copy()
        super().tell_remainder(receiver, now_s)
        self._replace("remainder", "quantity", 0, own)


class TellsAnOffer(Leak):
    """The operator hears the first member's last offer in place of the imbalance."""

    def close_round(self) -> None:
        self._last = self._benches[0].heard["quantity"][0].copy()
        super().close_round()

    def quote(self, now_s: float) -> None:
        super().quote(now_s)
        if self.exchange.records:
            self._replace("quote", "imbalance", 0, self._last)


class TellsAnotherPrice(Leak):
    """One member hears, as its price, something that comes from elsewhere: a flow of the wires."""

    def announce_closing(self, now_s: float) -> None:
        super().announce_closing(now_s)
        prices = self.outbox.pop()  # the operator's
        self._replace("closing", "price", 1, self.outbox[0].fields["price"][1] + 0.01)
        self.outbox.append(prices)


class TellsNeighbours(Leak):
    """Prosumers hear the sizes of all, in a message that is the operator's alone."""

    def announce_closing(self, now_s: float) -> None:
        super().announce_closing(now_s)
        sums = {"size": np.ones((1, SLOTS))}
        self.say("enrolment sums", self.topic, 1, sums, now_s)


def leaking(monkeypatch: pytest.MonkeyPatch, cloud: type[Cloud]) -> None:
    """All exchanges of energy are run by a doctored cloud."""
    monkeypatch.setattr("nashgrid.runs.model.Cloud", cloud)


@pytest.mark.parametrize(
    ("cloud", "sentence"),
    [
        (TellsAnEnrolment, "highest_kw of the enrolment sums is not the sum over the agents"),
        (TellsASchedule, "quantity of the remainder is not the sum over the agents"),
        (TellsAnOffer, "the imbalance is not that of all offers"),
    ],
)
def test_a_single_power_that_reaches_who_delivers_is_found(
    cloud: type[Cloud], sentence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    leaking(monkeypatch, cloud)
    found = audited(finished(load_scenario("duet")))
    assert any(sentence in told for told in found.to_counterparty)
    assert not found.claims("utility")["messages: utility"]["holds"]


@pytest.mark.parametrize(
    ("cloud", "sentence"),
    [
        (TellsAnotherPrice, "the price told the agent at address 2 is not that of its own place"),
        (TellsNeighbours, "a enrolment sums told a prosumer its size"),
    ],
)
def test_what_a_prosumer_should_not_hear_is_found(
    cloud: type[Cloud], sentence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    leaking(monkeypatch, cloud)
    model = TradingModel(with_values(load_scenario("duet")), ("utility-only",), seed=1)
    if cloud is TellsNeighbours:
        monkeypatch.setattr(model.prosumers[0], "react", lambda *_: None)
    while model.running:
        model.step()
    found = audited(model)
    assert any(sentence in told for told in found.to_prosumers)
    assert not found.claims("utility")["messages: prosumers"]["holds"]


def test_a_leak_is_no_certified_outcome_and_no_verified_one(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    leaking(monkeypatch, TellsAnEnrolment)
    outcome = simulate(load_scenario("duet"), "competitive")
    assert not outcome.certified
    finding = outcome.certificate["message_audit"]["told_too_much"]
    assert finding == [
        f"{topic}: highest_kw of the enrolment sums is not the sum over the agents"
        for topic in ("utility-only", "trading")
    ]
    failures = verify(outcome.save(tmp_path / "run")).failures
    assert any("'messages: utility' does not hold" in failure for failure in failures)


def test_an_honest_run_is_verified_with_its_messages(tmp_path: Path) -> None:
    outcome = simulate(load_scenario("duet"), "competitive")
    assert outcome.certified
    found = verify(outcome.save(tmp_path / "run"))
    assert found.holds
    assert found.certificate["claims"]["messages: utility"]["value"] == 0
    assert found.certificate["claims"]["messages: prosumers"]["holds"]


def test_what_a_leader_hears_and_says_is_held_to_sums() -> None:
    outcome = simulate(load_scenario("duet"), "stackelberg")
    wires = led_by(lay_wires(outcome.scenario), outcome.charges_tried)
    people = roster(outcome.scenario, None)
    table = outcome.messages.to_pandas()
    for kind, words in (("volume", "the volume is not the sum"), ("charge", "the charge told")):
        own = (table["topic"].astype(str) == "stackelberg") & (table["kind"].astype(str) == kind)
        changed = table.copy()
        row = own[own].index[-1]
        changed.at[row, kind] = 2 * changed.at[row, kind]
        found = audit(pa.Table.from_pandas(changed, outcome.messages.schema), wires, people)
        assert any(words in told for told in (*found.to_counterparty, *found.to_prosumers))
