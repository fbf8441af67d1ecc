"""A leader's charge and the followers' answers, against a game that can be solved by hand."""

from pathlib import Path

import numpy as np
import pytest
import tomli_w

from nashgrid.runs.scenario import Scenario
from nashgrid.runs.scenario_files import load_scenario, parse_scenario
from nashgrid.runs.stackelberg import stackelberg


def pair(limit_kw: float = 50.0) -> Scenario:
    """A generator of cost .1 g + .02 g^2 beside a load of 10 kW; tariff .5 and .1, one hour."""
    content = {
        "name": "pair",
        "horizon": {"start": "START", "slots": 1},
        "utility": {
            "exchange_limit_kw": limit_kw,
            "tariff": [
                {"start": "MIDNIGHT", "retail_price_per_kwh": 0.5, "feed_in_price_per_kwh": 0.1}
            ],
        },
        "buildings": [
            {"name": "Load", "connection_kw": 20.0, "loads": [{"values": [10.0], "unit": "kw"}]}
        ],
        "generators": [
            {
                "name": "Engine",
                "maximum_kw": 20.0,
                "linear_cost_per_kwh": 0.1,
                "quadratic_cost_per_kw2h": 0.02,
            }
        ],
    }
    text = tomli_w.dumps(content).replace('"START"', "2016-06-23T10:00:00")
    return parse_scenario(text.replace('"MIDNIGHT"', "00:00:00"), "pair.toml", Path())


def profit(share: float) -> float:
    """The engine gives (.3 - .2 s - .1) / .04 = 5 (1 - s) kW; the rest comes from the utility."""
    given = 5 * (1 - share)
    return (0.3 + 0.2 * share) * 10 - (0.3 - 0.2 * share) * given - 0.5 * (10 - given)


def test_every_charge_earns_what_it_does_by_hand() -> None:
    outcome = stackelberg(pair(), "profit")
    assert outcome.agents == ("Load", "Engine")
    for one in outcome.tried:
        # At s = 1 the engine rests with its marginal cost at the price: a flat bottom.
        assert one.profit == pytest.approx(profit(one.share), abs=1e-4)
        np.testing.assert_allclose(one.trade_kw[:, 0], [10, -5 * (1 - one.share)], atol=1e-3)
        assert one.charge_per_kwh == pytest.approx([0.2 * one.share])
        assert np.abs(one.epsilon).max() <= 1e-8


def test_the_leader_that_covers_its_costs() -> None:
    """By hand: profit = -(1 - s)^2, nowhere above 0, and 0 where everybody pays the tariff."""
    assert profit(0.4) == pytest.approx(-(0.6**2))
    assert stackelberg(pair(), required=-1e-4, tolerance=1e-4).chosen.share > 0.98
    # A loss of .25 that somebody else bears allows s = 1/2.
    chosen = stackelberg(pair(), required=-0.25, tolerance=1e-4).chosen
    assert chosen.share == pytest.approx(0.5, abs=2e-4)
    assert chosen.profit >= -0.25


def test_the_leader_that_earns_takes_all_from_those_who_cannot_answer() -> None:
    outcome = stackelberg(load_scenario("duet"), "profit")
    assert outcome.chosen.share == 1.0
    assert outcome.chosen.profit == max(one.profit for one in outcome.tried)
    # Nobody pays more than the tariff, so nobody loses: 0.95 + 1.55 is what they pay the utility.
    assert outcome.chosen.cost.sum() == pytest.approx(2.5, abs=1e-6)


def test_a_community_that_trades_needs_less_than_the_whole_spread() -> None:
    """The duet nets 3 kWh: 3 x .2 at the full charge pays for 1.5 kWh bought dear at s = .6."""
    outcome = stackelberg(load_scenario("duet"))
    assert outcome.chosen.share == pytest.approx(0.6, abs=0.01)
    assert outcome.chosen.profit >= 0
    assert [one.share for one in outcome.tried] == sorted(one.share for one in outcome.tried)
    assert outcome.chosen.cost.sum() < 2.5


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"aim": "love"}, "aim must be cover or profit, got 'love'"),
        ({"grid": 2}, "grid = 2 must be >= 3"),
        ({"tolerance": 0.0}, "tolerance = 0"),
        ({"required": 9.0}, "no charge earns 9 EUR: the most is 0.6"),
    ],
)
def test_refusals(options: dict[str, object], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        stackelberg(load_scenario("duet"), **options)


def test_limits_that_no_charge_keeps() -> None:
    with pytest.raises(
        ValueError, match=r"no charge keeps the limits: .* exceeded by 1 kW and 0 pu"
    ):
        stackelberg(pair(limit_kw=4.0))


def test_a_population_is_refused() -> None:
    with pytest.raises(
        ValueError, match="district: the buildings of a population follow no leader"
    ):
        stackelberg(load_scenario("district"))
