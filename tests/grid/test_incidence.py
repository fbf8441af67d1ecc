"""Incidence: what enters less what leaves is what is taken, and placement spreads values."""

import numpy as np

from nashgrid.grid.feeder_files import read_feeder
from nashgrid.grid.incidence import incidence, placement
from nashgrid.grid.lindistflow import LinDistFlow


def test_flows_balance_at_every_bus_but_the_root():
    feeder = read_feeder("ieee69")
    ends = incidence(feeder)
    flow = LinDistFlow(feeder).flows(feeder.load_kw)
    taken = (ends.enters - ends.leaves) @ flow
    np.testing.assert_allclose(taken[ends.others], feeder.load_kw[ends.others], atol=1e-9)
    assert taken[ends.root] == -flow[ends.start == ends.root].sum()
    assert ends.root not in ends.others
    assert len(ends.others) == feeder.line_count


def test_placement_spreads_values_in_the_order_of_the_buses():
    feeder = read_feeder("ieee33")
    spread = placement(feeder, [18, 5]) @ np.array([7.0, 3.0])
    assert spread[feeder.bus_positions([18, 5])].tolist() == [7.0, 3.0]
    assert spread.sum() == 10.0
