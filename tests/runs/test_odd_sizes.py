"""The smallest and the longest: one agent, one slot, a day of quarter-hours."""

import numpy as np
import pytest

from nashgrid.runs.outcome import Outcome
from nashgrid.runs.scenario import Scenario
from nashgrid.runs.simulate import simulate


def community(slots: int, minutes: int, buildings: int) -> Scenario:
    clock = np.linspace(0.0, 2 * np.pi, slots, endpoint=False)
    sun = np.maximum(0.0, 4.0 * -np.cos(clock)) if slots > 1 else np.array([3.0])
    entries = []
    for number in range(buildings):
        load = 1.2 + 0.4 * number + 0.5 * np.sin(clock + number)
        entry: dict[str, object] = {
            "name": f"House {number}",
            "connection_kw": 12.0,
            "loads": [{"values": load.tolist(), "unit": "kw"}],
            "batteries": [{"capacity_kwh": 5.0, "power_kw": 2.0}],
            "shiftable_loads": [{"energy_kwh": 0.2 * slots * minutes / 60, "limit_kw": 1.0}],
        }
        if number == 0:
            entry["pv"] = [{"values": sun.tolist(), "unit": "kw", "rating_kw": 5.0}]
        entries.append(entry)
    tariff = [{"start": "00:00", "retail_price_per_kwh": 0.3, "feed_in_price_per_kwh": 0.1}]
    return Scenario.model_validate(
        {
            "name": "odd",
            "horizon": {"start": "2016-06-23T00:00", "slots": slots, "slot_minutes": minutes},
            "utility": {"exchange_limit_kw": 40.0, "tariff": tariff},
            "buildings": entries,
        }
    )


def certified(scenario: Scenario, market: str) -> Outcome:
    outcome = simulate(scenario, market)
    claims = outcome.certificate["claims"]
    assert outcome.certificate["certified"], {n: c for n, c in claims.items() if not c["holds"]}
    return outcome


@pytest.mark.parametrize("market", ["nash-bargaining", "two-part", "competitive", "utility-only"])
@pytest.mark.parametrize(("slots", "minutes"), [(1, 60), (1, 1440), (3, 20)])
def test_two_agents_few_slots(slots: int, minutes: int, market: str) -> None:
    outcome = certified(community(slots, minutes, 2), market)
    last = outcome.trades[outcome.trades["case"] == outcome.trades["case"].iloc[-1]]
    assert len(last) == 3 * slots
    assert np.abs(last.groupby("slot")["trade_kw"].sum()).max() < 1e-9


def test_a_day_of_quarter_hours() -> None:
    outcome = certified(community(96, 15, 2), "nash-bargaining")
    assert len(outcome.prices) == 2 * 96
    assert outcome.summary["saving"] > 0
    # Powers are kW, energies kWh: the utility delivers the loads' energy less the sun's.
    energy = outcome.schedules[outcome.schedules["case"] == "trading"]["consumption_kw"].sum() / 4
    trades = outcome.trades[outcome.trades["case"] == "trading"]
    utility = trades[trades["agent"] == "utility"]["trade_kw"].sum() / 4
    assert utility == pytest.approx(-energy, abs=1e-6)


@pytest.mark.parametrize("market", ["two-part", "competitive", "utility-only"])
@pytest.mark.parametrize("slots", [1, 4])
def test_one_agent_alone_gains_nothing(slots: int, market: str) -> None:
    outcome = certified(community(slots, 60, 1), market)
    own = outcome.accounts.set_index("agent").loc["House 0"]
    # Settled in whole watt-hours at a price of at most .3 per kWh.
    assert own["saving"] == pytest.approx(0.0, abs=slots * 2e-4)
