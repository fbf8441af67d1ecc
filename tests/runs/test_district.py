"""The built-in districts: what binds in them, and that the exchange with the utility does not."""

import numpy as np
import pytest

from nashgrid.grid.lindistflow import LinDistFlow
from nashgrid.runs.model import TradingModel
from nashgrid.runs.population_size import with_population
from nashgrid.runs.scenario_files import load_scenario

CASES = ("utility-only", "trading")


def negotiated(name: str, count: int) -> TradingModel:
    """The model of a built-in district after both negotiations."""
    model = TradingModel(with_population(load_scenario(name), count), CASES, seed=1)
    while model.running:
        model.step()
    return model


@pytest.mark.parametrize("count", [300, 3000])
def test_the_exchange_of_a_district_does_not_bind_at_any_size(count: int) -> None:
    model = negotiated("district", count)
    limit = model.study.utility.exchange_limit_kw
    assert limit == pytest.approx(3000 * max(count / 1000, (count / 1000) ** 0.5))
    for case in CASES:
        demand = model.counterparty.demand_kw[case]
        assert np.abs(demand).max() < 0.7 * limit
    # More flexible than any one of them: in some slots it takes nothing from the utility.
    assert (np.abs(model.counterparty.demand_kw["trading"]) < 0.01 * count).any()
    price = model.counterparty.price("trading")
    assert price.min() > 0.069
    assert price.max() < 0.381  # retail in the evening, and no more


def test_two_lines_of_the_district_on_the_feeder_bind_and_nothing_else() -> None:
    model = negotiated("district33", 1000)
    wires = model.wires
    assert wires.feeder is not None
    lines = LinDistFlow(wires.feeder)
    loading = {}
    for case in CASES:
        power = wires.bus_power_kw(model.counterparty.demand_kw[case])
        flow = np.hypot(lines.flows(power), lines.flows(wires.reactive_kvar))
        loading[case] = flow / wires.feeder.limit_kva
        voltage = np.sqrt(lines.voltage_squared(power, wires.reactive_kvar, 1.0))
        assert voltage.min() > 0.96
        assert voltage.max() < 1.04
        assert loading[case].max() < 1 + 1e-3
    full = np.argwhere(loading["trading"] > 1 - 1e-4)
    ends = {(int(wires.feeder.from_bus[k]), int(wires.feeder.to_bus[k])) for _, k in full}
    assert ends == {(6, 7), (6, 26)}
    assert set(full[:, 0]) <= {21, 22, 23}
    spread = np.ptp(model.counterparty.price("trading"), axis=1)
    assert spread[sorted(set(full[:, 0]))].min() > 0.005
