"""The optimal power flow against the published 15-bus case, and prices against differences."""

import cvxpy as cp
import numpy as np
import pytest

from nashgrid.grid.feeder_files import read_feeder
from nashgrid.grid.optimal_power_flow import Generator, optimal_power_flow


def parts(price):
    return price.energy + price.congestion + price.voltage


def test_15_buses_as_published():
    # Papavasiliou, IEEE Trans. Smart Grid 2018, with the conic generation cost of the published
    # run (github.com/mieth-robert/DLMP_uncertainty_CodeSupplement, deterministic): 50 gp1 +
    # 10 (gp7 + gp12) + s sqrt(5 gp7^2 + 5 gp12^2), MW and $/MWh.
    feeder = read_feeder("feeder15")
    spread = 0.2 * np.sqrt(np.sum((feeder.load_kw[1:] / 1e3) ** 2))
    assert spread == pytest.approx(0.205872, abs=5e-7)
    limits = {"highest_kw": 800.0, "lowest_kvar": -400.0, "highest_kvar": 400.0}
    flow = optimal_power_flow(
        feeder,
        [
            Generator(1, 0.05, 1e6, lowest_kw=-1e6, lowest_kvar=-1e6, highest_kvar=1e6),
            Generator(7, 0.01, **limits),
            Generator(12, 0.01, **limits),
        ],
        lowest_voltage_pu=0.9,
        highest_voltage_pu=1.1,
        extra_cost=lambda p_kw: spread * np.sqrt(5.0) * cp.norm(p_kw[1:] / 1e3),
    )
    assert flow.cost_per_hour == pytest.approx(54.0163, abs=5e-5)
    np.testing.assert_allclose(flow.generation_kw, [993.8, 277.9, 140.4], atol=0.05)
    price = 1e3 * flow.active_price.total
    congestion = 1e3 * flow.active_price.congestion
    at = {int(bus): position for position, bus in enumerate(feeder.buses)}
    for bus in (1, 2, 3, 4, 5, 6, 13, 14, 15):
        assert price[at[bus]] == pytest.approx(50.0, abs=5e-4)
    assert price[at[7]] == pytest.approx(10.411, abs=5e-4)
    assert congestion[at[7]] == pytest.approx(-39.589, abs=5e-4)
    for bus in (8, 9, 10, 11, 12):
        assert price[at[bus]] == pytest.approx(10.208, abs=5e-4)
        assert congestion[at[bus]] == pytest.approx(-39.792, abs=5e-4)
    # Voltage magnitudes (their squares lie within .81 and 1.21).
    magnitude = np.sqrt(flow.voltage_squared)
    published = {2: 0.974671, 3: 1.01174, 4: 1.06725, 7: 1.08565, 12: 1.08249, 15: 0.975027}
    for bus, volts in published.items():
        assert magnitude[at[bus]] == pytest.approx(volts, abs=5e-6)
    np.testing.assert_allclose(parts(flow.active_price), flow.active_price.total, atol=1e-10)
    np.testing.assert_allclose(parts(flow.reactive_price), flow.reactive_price.total, atol=1e-10)


def tight_33_buses(load_kw=None, load_kvar=None):
    """Voltage and lines bind; a marginal generator at bus 30, one at its limit at bus 14."""
    feeder = read_feeder("ieee33").with_line_limits({(3, 23): 800.0, (6, 26): 700.0})
    generators = [
        Generator(1, 0.10, 1e5, lowest_kw=-1e5, lowest_kvar=-1e5, highest_kvar=1e5),
        Generator(30, 0.12, 900.0, quadratic_cost_per_kw2h=1e-4, highest_kvar=300.0),
        Generator(14, 0.08, 250.0, quadratic_cost_per_kw2h=1e-5),
        Generator(24, 0.30, 900.0, lowest_kvar=-200.0, highest_kvar=200.0),
        Generator(18, 0.25, 500.0, quadratic_cost_per_kw2h=1e-4, highest_kvar=50.0),
    ]
    return feeder, optimal_power_flow(
        feeder, generators, load_kw=load_kw, load_kvar=load_kvar, lowest_voltage_pu=0.96
    )


def test_parts_add_up_where_voltage_and_lines_bind():
    feeder, flow = tight_33_buses()
    for price in (flow.active_price, flow.reactive_price):
        np.testing.assert_allclose(parts(price), price.total, atol=1e-8)
    assert flow.active_price.voltage.max() > 0.01
    assert np.abs(flow.active_price.congestion).max() > 0.01
    assert np.abs(flow.reactive_price.voltage).max() > 0.001
    # A generator inside its limits pins the price of its bus to its marginal cost.
    generation = flow.generation_kw[4]
    assert 0.0 < generation < 500.0
    at = feeder.bus_positions(18)[0]
    assert flow.active_price.total[at] == pytest.approx(0.25 + 2e-4 * generation, abs=1e-8)
    size = np.hypot(flow.flow_kw, flow.flow_kvar)
    assert np.all(size <= feeder.limit_kva + 1e-6)


@pytest.mark.parametrize("bus", [8, 18, 24, 30, 33])
def test_prices_are_what_one_more_kw_or_kvar_costs(bus):
    feeder, flow = tight_33_buses()
    at = feeder.bus_positions(bus)[0]
    step = 0.05 * (feeder.buses == bus)
    for price, name, load in (
        (flow.active_price, "load_kw", feeder.load_kw),
        (flow.reactive_price, "load_kvar", feeder.load_kvar),
    ):
        up = tight_33_buses(**{name: load + step})[1].cost_per_hour
        down = tight_33_buses(**{name: load - step})[1].cost_per_hour
        assert price.total[at] == pytest.approx((up - down) / 0.1, abs=2e-5)


def test_an_impossible_dispatch_says_so():
    feeder = read_feeder("ieee33")
    with pytest.raises(ValueError, match="no dispatch keeps the limits of feeder ieee33"):
        optimal_power_flow(feeder, [Generator(1, 0.1, 100.0)])
    with pytest.raises(ValueError, match="ieee33 has no bus 77"):
        optimal_power_flow(feeder, [Generator(77, 0.1, 100.0)])
