"""Radial feeders: orientation, reconfiguration, line limits, and what is refused."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nashgrid.grid.feeder import make_feeder
from nashgrid.grid.feeder_files import read_feeder
from nashgrid.grid.line import Line


def feeder_of(lines, buses=(1, 2, 3, 4), **changes):
    parts = {
        "name": "small",
        "source": "made up",
        "base_kv": 0.4,
        "base_mva": 0.1,
        "root_bus": 1,
        "buses": buses,
        "load_kw": np.zeros(len(buses)),
        "load_kvar": np.zeros(len(buses)),
        "lines": lines,
    }
    return make_feeder(**(parts | changes))


CHAIN = [Line(1, 2, 0.1, 0.1), Line(2, 3, 0.1, 0.1), Line(3, 4, 0.1, 0.1)]


@settings(deadline=None, derandomize=True)
@given(seed=st.integers(0, 10**9), buses=st.integers(2, 40))
def test_lines_are_oriented_away_from_the_root_and_parents_come_first(seed, buses):
    rng = np.random.default_rng(seed)
    labels = rng.permutation(np.arange(100, 100 + buses)).tolist()
    parents = {labels[at]: labels[rng.integers(at)] for at in range(1, buses)}
    lines = [
        Line(*rng.permutation([parent, child]).tolist(), 0.01 * child, 0.1)
        for child, parent in parents.items()
    ]
    shuffled = [lines[at] for at in rng.permutation(len(lines))]
    feeder = feeder_of(shuffled, buses=sorted(labels), root_bus=labels[0])
    reached = {labels[0]}
    for line in feeder.lines:
        assert line.from_bus in reached
        assert parents[line.to_bus] == line.from_bus
        assert line.resistance_pu == 0.01 * line.to_bus
        reached.add(line.to_bus)
    assert reached == set(labels)


def test_a_long_feeder_is_no_problem():
    count = 20_000
    lines = [Line(bus, bus + 1, 1e-6, 1e-6) for bus in range(1, count)]
    feeder = feeder_of(lines[::-1], buses=np.arange(1, count + 1))
    assert feeder.line_count == count - 1
    assert feeder.to_bus[-1] == count


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ([*CHAIN, Line(4, 2, 0.1, 0.1)], r"meshed: the closed lines .*cycle"),
        (CHAIN[:2], r"bus 4 has no path of closed lines to the root bus 1"),
        (CHAIN[:1], r"buses 3, 4 have no path"),
        ([CHAIN[0], Line(3, 4, 0.1, 0.1)], r"buses 3, 4 have no path"),
        ([*CHAIN, Line(4, 5, 0.1, 0.1)], r"line 4-5: there is no bus 5"),
        ([*CHAIN, Line(2, 1, 0.2, 0.1)], r"line 2-1 is there twice"),
        ([*CHAIN, Line(2, 2, 0.2, 0.1)], r"line 2-2 begins and ends at the same bus"),
        ([*CHAIN[:2], Line(3, 4, -0.1, 0.1)], r"line 3-4: resistance -0.1 pu"),
        ([*CHAIN[:2], Line(3, 4, 0.1, np.nan)], r"line 3-4: reactance nan pu"),
        ([*CHAIN[:2], Line(3, 4, 0.0, 0.0)], r"line 3-4 has no impedance"),
        ([*CHAIN[:2], Line(3, 4, 0.1, 0.1, -5.0)], r"line 3-4: limit -5.0 kVA"),
        ([*CHAIN[:2], Line(3, 4, 0.1, 0.1, np.nan)], r"line 3-4: limit nan kVA"),
    ],
)
def test_bad_lines_are_named(lines, message):
    with pytest.raises(ValueError, match=r"^feeder small: .*" + message):
        feeder_of(lines)


def test_a_cycle_is_named_by_its_own_lines():
    # 1-2 leads to the ring 2-3-4 and is not part of it.
    with pytest.raises(ValueError, match="meshed") as caught:
        feeder_of([*CHAIN, Line(4, 2, 0.1, 0.1)])
    named = str(caught.value).split("lines ")[1].split(" form")[0]
    ring = {frozenset(pair.split("-")) for pair in named.split(", ")}
    assert ring == {frozenset("23"), frozenset("34"), frozenset("24")}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"base_kv": 0.0}, "base_kv 0.0 kV must be positive"),
        ({"base_mva": -1.0}, r"base_mva -1.0 MVA must be positive"),
        ({"base_mva": np.nan}, "base_mva nan MVA"),
        ({"root_bus": 9}, "there is no bus 9 for the root"),
        ({"buses": (1, 2, 2, 4)}, "bus 2 is there twice"),
        ({"load_kw": [0.0, 1.0]}, r"load_kw has shape \(2,\)"),
        ({"load_kvar": [0.0, 1.0, np.nan, 0.0]}, "load_kvar at bus 3 is nan"),
    ],
)
def test_other_bad_parts_are_named(changes, message):
    with pytest.raises(ValueError, match=message):
        feeder_of(CHAIN, **changes)


def test_reconfiguration_opens_and_closes_lines():
    feeder = read_feeder("ieee33")
    new = feeder.reconfigured(open_lines=[(8, 7)], close_lines=[(8, 21)])
    assert {str(line) for line in new.ties} == {"7-8", "9-15", "12-22", "18-33", "25-29"}
    fed = dict(zip(new.to_bus.tolist(), new.from_bus.tolist()))
    assert fed[8] == 21
    assert fed[9] == 8
    assert fed[18] == 17
    back = new.reconfigured(open_lines=[(21, 8)], close_lines=[(7, 8)])
    assert back.lines == feeder.lines
    with pytest.raises(ValueError, match="meshed"):
        feeder.reconfigured(close_lines=[(21, 8)])
    with pytest.raises(ValueError, match="buses 8, 9, 10"):
        feeder.reconfigured(open_lines=[(7, 8)])
    with pytest.raises(ValueError, match="ieee33 has no line 1-33"):
        feeder.reconfigured(open_lines=[(1, 33)])


def test_line_limits_override_the_file():
    feeder = read_feeder("feeder15")
    assert feeder.limit_kva[0] == 2000.0
    new = feeder.with_line_limits({(2, 1): 1500.0, (2, 3): np.inf})
    limits = {str(line): line.limit_kva for line in new.lines}
    assert limits["1-2"] == 1500.0
    assert np.isinf(limits["2-3"])
    assert limits["3-4"] == 512.0
    table = pd.DataFrame({"from_bus": [1, 2], "to_bus": [2, 3], "limit_kva": [1500.0, np.inf]})
    assert feeder.with_line_limits(table).lines == new.lines
    with pytest.raises(ValueError, match="no line 1-9"):
        feeder.with_line_limits({(1, 9): 5.0})
    with pytest.raises(ValueError, match=r"line 1-2: limit -1.0 kVA"):
        feeder.with_line_limits({(1, 2): -1.0})


def test_bus_positions_name_the_unknown_bus():
    feeder = read_feeder("ieee33")
    assert feeder.bus_positions([18, 1]).tolist() == [17, 0]
    with pytest.raises(ValueError, match="ieee33 has no bus 34, 99"):
        feeder.bus_positions([1, 34, 99])
