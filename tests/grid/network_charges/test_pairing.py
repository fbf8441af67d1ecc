"""Who trades with whom: balances, and no line with trades in both directions."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nashgrid.grid.feeder_files import read_feeder
from nashgrid.grid.lindistflow import LinDistFlow
from nashgrid.grid.network_charges.pairing import PairTrade, nearest_partners
from nashgrid.grid.network_charges.tolls import distance_tolls

FEEDER = read_feeder("ieee33")
BUSES = [3, 6, 13, 18, 22, 25, 28, 33]


def test_neighbours_trade_before_the_root_gives_the_rest() -> None:
    """13 sells 5 kW to 18 behind it, which needs 2 more; 28 sells 4 kW, the rest upstream."""
    trades = nearest_partners(FEEDER, [13, 18, 28], [-5.0, 7.0, -4.0])
    assert trades == [
        PairTrade(13, 18, 5.0),
        PairTrade(28, 18, 2.0),
        PairTrade(28, 1, 2.0),
    ]


@given(power=st.lists(st.floats(-50, 50), min_size=8, max_size=8))
@settings(deadline=None, derandomize=True, max_examples=60)
def test_trades_add_up_and_pay_the_least_tolls(power: list[float]) -> None:
    demand = np.array(power)
    trades = nearest_partners(FEEDER, BUSES, demand)
    net = dict.fromkeys([FEEDER.root_bus, *BUSES], 0.0)
    for trade in trades:
        assert trade.power_kw > 0
        net[trade.seller] -= trade.power_kw
        net[trade.buyer] += trade.power_kw
    # What is less than a watt is let go, at each of a few steps.
    np.testing.assert_allclose([net[bus] for bus in BUSES], demand, atol=0.02)
    assert net[FEEDER.root_bus] == pytest.approx(-demand.sum(), abs=0.02)
    tolls = distance_tolls(FEEDER, BUSES, 0.02)
    charge = tolls.pair_charges()
    row = {bus: number for number, bus in enumerate([FEEDER.root_bus, *BUSES])}
    paid = sum(charge[row[t.seller], row[t.buyer]] * t.power_kw for t in trades)
    assert paid == pytest.approx(tolls.paid(demand[None]), abs=0.01)
    carried = np.zeros(FEEDER.line_count)
    behind = LinDistFlow(FEEDER).downstream.toarray()
    at = {bus: int(FEEDER.bus_positions([bus])[0]) for bus in row}
    for trade in trades:
        carried += trade.power_kw * np.abs(behind[:, at[trade.buyer]] - behind[:, at[trade.seller]])
    flow = np.abs(behind[:, [at[bus] for bus in BUSES]] @ demand)
    np.testing.assert_allclose(carried, flow, atol=0.05)
