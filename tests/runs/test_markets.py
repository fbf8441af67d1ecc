"""The records of the markets against what runs of them do."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from nashgrid.market.pricing import mid_market_rate
from nashgrid.market.topics import MONEY, UTILITY_ONLY
from nashgrid.runs.markets import MARKETS
from nashgrid.runs.markets.books import Books, individual_rationality
from nashgrid.runs.markets.egalitarian import equal_gains
from nashgrid.runs.markets.incentive_proportional import shares_by_energy
from nashgrid.runs.markets.nash_bargaining import bargaining_excess, shares_of_the_surplus
from nashgrid.runs.markets.sharing_prices import shares_by
from nashgrid.runs.markets.trades import Terms, Trades
from nashgrid.runs.markets.two_part import operators_part
from nashgrid.runs.outcome import Outcome
from nashgrid.runs.scenario import BuildingEntry, Scenario
from nashgrid.runs.scenario_files import load_scenario
from nashgrid.runs.simulate import simulate


@pytest.fixture(scope="module")
def outcomes() -> dict[str, Outcome]:
    scenario = load_scenario("duet")
    return {name: simulate(scenario, name) for name in MARKETS}


@pytest.mark.parametrize("name", list(MARKETS))
def test_a_record_says_what_its_market_does(outcomes: dict[str, Outcome], name: str) -> None:
    market, outcome = MARKETS[name], outcomes[name]
    assert market.name == name
    assert tuple(outcome.rounds["topic"].unique()) == market.exchanges
    assert list(outcome.trades["case"].unique()) == market.cases
    assert market.has_trading == (market.cases != [UTILITY_ONLY])
    assert market.bargains == any(topic.startswith(MONEY) for topic in market.exchanges)
    assert market.by_energy == bool(outcome.settlement["energy_wh"].notna().any())


@pytest.mark.parametrize("name", list(MARKETS))
def test_agents_hear_and_say_what_the_record_tells(outcomes: dict[str, Outcome], name: str) -> None:
    messages = outcomes[name].messages.select(["kind", "sender", "receiver"]).to_pandas()
    # The two agents have the first addresses.
    assert set(messages[messages["receiver"] <= 2]["kind"]) == set(MARKETS[name].heard)
    assert set(messages[messages["sender"] <= 2]["kind"]) == set(MARKETS[name].said)


@pytest.mark.parametrize("name", list(MARKETS))
def test_every_record_is_complete(name: str) -> None:
    market = MARKETS[name]
    assert market.exchanges[0] == UTILITY_ONLY
    for words in (market.title, market.rule, market.reveals):
        assert words
        assert not words.endswith(".")
    assert market.explanation.endswith(".")


def test_a_market_that_is_individually_rational_is_held_to_it(
    outcomes: dict[str, Outcome],
) -> None:
    for name, outcome in outcomes.items():
        market = MARKETS[name]
        held = "individual rationality" in outcome.certificate["claims"]
        assert held == (market.individually_rational and market.has_trading)


TRADES = Trades(
    agents=("A", "B"),
    baseline_kw=np.array([[2.0, -4.0], [1.0, 3.0]]),
    trade_kw=np.array([[-1.0, -4.0], [4.0, 3.0]]),
    price_per_kwh=np.broadcast_to([0.25, 0.15], (2, 2)),
    terms=Terms(
        slot_hours=0.5,
        retail_price_per_kwh=np.array([0.30, 0.40]),
        feed_in_price_per_kwh=np.array([0.10, 0.10]),
        loss_price_per_kwh=np.array([0.30, 0.40]),
    ),
)


def books(saving: list[float], total_cost: float) -> Books:
    """Two agents and the operator, whose costs before were 4, 2 and 1."""
    accounts = pd.DataFrame(
        {
            "agent": ["A", "B", "operator"],
            "kind": ["house", "house", "operator"],
            "weight": [1.0, 3.0, 0.0],
            "cost_before": [4.0, 2.0, 1.0],
            "saving": saving,
        }
    )
    return Books(accounts, pd.Series([1e-6, 1e-6, 1e-3]), total_cost, 1e-6, TRADES)


def test_who_loses_most_is_measured_beyond_its_rounding() -> None:
    found = individual_rationality(books([0.5, -1e-7, -2.0], 5.0))["individual rationality"]
    assert (found["value"], found["bound"], found["holds"]) == (1e-7, 1e-6, True)
    found = individual_rationality(books([0.5, -0.25, -2.0], 5.0))["individual rationality"]
    assert (found["value"], found["holds"]) == (0.25, False)


def test_the_operators_part_may_not_be_a_loss() -> None:
    assert operators_part(books([0, 0, -1e-4], 5.0))["operator's part"]["holds"]
    assert not operators_part(books([0, 0, -1e-2], 5.0))["operator's part"]["holds"]


def test_nash_shares_go_by_weight() -> None:
    """Surplus 7 - 5 = 2, weights 1 and 3: gains .5 and 1.5."""
    claims = shares_of_the_surplus(books([0.5, 1.5, 0.0], 5.0))
    assert claims["surplus shared"]["value"] == pytest.approx(0.0, abs=1e-12)
    assert all(claim["holds"] for claim in claims.values())
    # Equal shares are worth less: all to B makes sum a (v - g) / g = 3 x 2 - 4, of 4.
    claims = shares_of_the_surplus(books([1.0, 1.0, 0.0], 5.0))
    assert claims["Nash bargaining"]["value"] == pytest.approx(0.5)
    assert not claims["Nash bargaining"]["holds"]
    # Part of the surplus is kept by somebody.
    claims = shares_of_the_surplus(books([0.25, 0.75, 0.0], 5.0))
    assert claims["surplus shared"]["value"] == pytest.approx(1.0)
    assert not claims["surplus shared"]["holds"]


def test_without_a_surplus_there_is_no_share_to_measure() -> None:
    assert set(shares_of_the_surplus(books([0.0, 0.0, 0.0], 7.0))) == {"surplus shared"}


def test_the_excess_of_a_player_without_gain_is_infinite() -> None:
    weights = np.array([1.0, 1.0])
    assert bargaining_excess(np.array([0.0, 2.0]), weights, 2.0) == np.inf
    assert bargaining_excess(np.array([1.0, 1.0]), weights, 2.0) == 0.0


def paid(a: float, b: float) -> Books:
    found = books([0.0, 0.0, 0.0], 5.0)
    micro = [round(1e6 * amount) for amount in (a, b, -a - b)]
    return replace(found, accounts=found.accounts.assign(payment_micro=micro))


def test_payments_of_a_sharing_price_are_held_to_its_formula() -> None:
    """Mid-market rate by hand: A gets .5 x .20 + 2 x .2125, B pays 2 x .275 + 1.5 x .25."""
    held = shares_by(mid_market_rate)
    claims = held(paid(-0.525, 0.925))
    assert all(claim["holds"] for claim in claims.values())
    assert claims["bill covered"]["value"] == pytest.approx(0.0, abs=1e-12)
    assert not held(paid(-0.525, 0.926))["price formula"]["holds"]
    # A rule that keeps something for nobody is found out.
    kept = shares_by(lambda *inputs: (mid_market_rate(*inputs)[0], 0 * inputs[0]))
    assert kept(paid(0.0, 0.925))["bill covered"]["value"] == pytest.approx(0.425)
    assert not kept(paid(0.0, 0.925))["bill covered"]["holds"]


@pytest.mark.parametrize("name", ["supply-demand-ratio", "compensated-supply-demand-ratio"])
def test_tariffs_without_a_ratio_are_refused_at_once(name: str) -> None:
    duet = load_scenario("duet")
    period = duet.utility.tariff[0].model_copy(update={"feed_in_price_per_kwh": -0.1})
    utility = duet.utility.model_copy(update={"tariff": (period,)})
    with pytest.raises(ValueError, match="needs feed_in_price >= 0"):
        simulate(duet.model_copy(update={"utility": utility}), name)


def test_with_free_payments_kalai_smorodinsky_is_nash(outcomes: dict[str, Outcome]) -> None:
    by_nash = outcomes["nash-bargaining"].accounts["saving"].to_numpy()
    for name in ("kalai-smorodinsky", "egalitarian"):
        np.testing.assert_allclose(outcomes[name].accounts["saving"], by_nash, rtol=0, atol=1e-9)


def test_above_locational_prices_who_delivers_keeps_nothing(outcomes: dict[str, Outcome]) -> None:
    """On `duet` the prices leave .16 EUR with the shady house and .60 of .76 EUR with who delivers.

    Ideals .60 and .76 sum to 1.36: gains .76 x .60 / 1.36 and .76 x .76 / 1.36.
    """
    at_prices = outcomes["two-part"].accounts["saving"].to_numpy()[:2]
    assert at_prices == pytest.approx([0.0, 0.16], abs=1e-5)
    gains = outcomes["kalai-smorodinsky-locational"].accounts["saving"].to_numpy()[:2]
    assert gains == pytest.approx([0.76 * 0.60 / 1.36, 0.76 * 0.76 / 1.36], abs=1e-5)


def test_two_players_share_equally_by_every_value_of_the_game(outcomes: dict[str, Outcome]) -> None:
    """Both are needed for any saving: S / 2 each by symmetry, here .38 EUR."""
    for name in ("kalai-smorodinsky-contribution", "shapley", "nucleolus"):
        saving = outcomes[name].accounts["saving"].to_numpy()[:2]
        assert saving == pytest.approx([0.38, 0.38], abs=2e-6)


def test_energy_traded_shares_the_savings(outcomes: dict[str, Outcome]) -> None:
    outcome = outcomes["incentive-proportional"]
    own = outcome.trades[outcome.trades["case"] == "trading"]
    energy = own["trade_kw"].abs().groupby(own["agent"], sort=False).sum().to_numpy()[:2]
    saving = outcome.accounts["saving"].to_numpy()[:2]
    assert saving == pytest.approx(0.76 * energy / energy.sum(), abs=2e-6)


@pytest.mark.parametrize(
    "name", ["kalai-smorodinsky-contribution", "shapley", "nucleolus", "incentive-proportional"]
)
def test_an_operator_with_a_weight_is_refused_where_it_cannot_be_measured(name: str) -> None:
    campus = load_scenario("campus33")
    weighted = campus.bargaining.model_copy(update={"operator_weight": 2.0})
    with pytest.raises(ValueError, match="operator_weight = 2 must be 0 in this market"):
        simulate(campus.model_copy(update={"bargaining": weighted}), name)


def test_shares_are_held_to_their_values() -> None:
    """Surplus 2; equal division is 1 each, and by energy 2.5 of 5.5 and 3 of 5.5 kWh."""
    assert equal_gains(books([1.0, 1.0, 0.0], 5.0))["egalitarian"]["holds"]
    found = equal_gains(books([0.9, 1.1, 0.0], 5.0))["egalitarian"]
    assert found["value"] == pytest.approx(0.05, abs=1e-5)
    assert not found["holds"]
    # A sells 5 kW, B buys 7 kW in half hours.
    fair = [2 * 5 / 12, 2 * 7 / 12, 0.0]
    assert shares_by_energy(books(fair, 5.0))["incentive by proportion"]["holds"]
    assert not shares_by_energy(books([1.0, 1.0, 0.0], 5.0))["incentive by proportion"]["holds"]


def test_without_transfers_who_sells_can_hope_for_what_is_exported(
    outcomes: dict[str, Outcome],
) -> None:
    """Of `duet`, 1 kWh is exported, for .10 EUR. Sunny house had .10 EUR to pay alone: it gains .20
    EUR at most, Shady house all of .76 EUR. Nash and Kalai-Smorodinsky with transfers: .38 each."""
    gains = outcomes["kalai-smorodinsky-no-transfers"].accounts["saving"].to_numpy()[:2]
    assert gains == pytest.approx([0.76 * 0.20 / 0.96, 0.76 * 0.76 / 0.96], abs=1e-5)
    claims = outcomes["kalai-smorodinsky-no-transfers"].certificate["claims"]
    assert claims["no transfers"]["holds"]
    with_transfers = outcomes["kalai-smorodinsky"].accounts["saving"].to_numpy()[:2]
    assert with_transfers == pytest.approx([0.38, 0.38], abs=1e-5)


def test_transfers_that_are_needed_are_not_forgiven() -> None:
    market = "kalai-smorodinsky-no-transfers"
    with pytest.raises(ValueError, match=r"need 4\.55\d+, but the utility pays .* for export"):
        simulate(load_scenario("village"), market)
    with pytest.raises(ValueError, match=r"leave out \[feeder\]"):
        simulate(load_scenario("campus33"), market)


def with_buildings(scenario: Scenario, *buildings: BuildingEntry) -> Scenario:
    return scenario.model_copy(update={"buildings": buildings})


@pytest.mark.parametrize(
    ("market", "expected"),
    [
        # Sunny house adds all of .76 EUR, Shady house .56: without it the third would buy 1 kWh.
        ("kalai-smorodinsky-contribution", [0.76 * 0.76 / 1.32, 0.76 * 0.56 / 1.32, 0.0]),
        # What Sunny house has beyond the .20 that the third would leave it is what Shady has.
        ("nucleolus", [0.48, 0.28, 0.0]),
    ],
)
def test_who_adds_next_to_nothing_gains_next_to_nothing(market: str, expected: list[float]) -> None:
    """A third house as large as the others, of whose load 1e-7 kWh fall where there is plenty."""
    scenario = load_scenario("duet")
    sunny, shady = scenario.buildings
    load = shady.loads[0].model_copy(update={"values": (1.0, 1.0, 1e-7, 1.0)})
    third = shady.model_copy(update={"name": "Third", "loads": (load,), "shiftable_loads": ()})
    outcome = simulate(with_buildings(scenario, sunny, shady, third), market)
    assert outcome.certified, outcome.certificate["claims"]
    assert outcome.accounts["saving"].to_numpy()[:3] == pytest.approx(expected, abs=1e-5)


def test_where_nothing_is_saved_every_rule_has_its_outcome() -> None:
    """Three houses that are all alike have nothing to share but the rounding of their bills."""
    scenario = load_scenario("duet")
    alike = [scenario.buildings[0].model_copy(update={"name": f"House {n}"}) for n in range(3)]
    for market in ("nucleolus", "shapley", "kalai-smorodinsky-contribution"):
        outcome = simulate(with_buildings(scenario, *alike), market)
        assert outcome.certified, outcome.certificate["claims"]
        assert outcome.accounts["saving"].to_numpy() == pytest.approx(0.0, abs=1e-6)
