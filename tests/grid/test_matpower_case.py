"""MATPOWER cases: the 33-bus feeder written as one and read back, and what is refused."""

import numpy as np
import pytest

from nashgrid.grid.feeder_files import read_feeder
from nashgrid.grid.matpower_case import read_matpower_case
from nashgrid.grid.power_flow import ac_power_flow

SMALL = """function mpc = small
mpc.version = '2';
mpc.baseMVA = 10;
mpc.bus = [ %% a comment
    1 3 0 0 0 0 1 1 0 12.66 1 1 1;
    2 1 0.1 0.06 0 0 1 1 0 12.66 1 1.1 0.9;
    3 1 0.2 0.02 0 0 1 1 0 12.66 1 1.1 0.9;
];
mpc.gen = [
    1 0 0 10 -10 1 100 1 10 0;
    3 0.05 0.01 10 -10 1 100 1 10 0;
    2 0.50 0.01 10 -10 1 100 0 10 0;
];
mpc.branch = [
    1 2 0.01 0.02 0 0.6 0 0 0 0 1 -360 360;
    3 2 0.03 0.04 0 0 0 0 1 0 1 -360 360;
    1 3 0.05 0.06 0 0 0 0 0 0 0 -360 360;
];
"""


@pytest.fixture
def case(tmp_path):
    def write(old="", new=""):
        assert old in SMALL
        file = tmp_path / "small.m"
        file.write_text(SMALL.replace(old, new, 1) if old else SMALL)
        return file

    return write


def test_a_small_case(case):
    feeder = read_matpower_case(case())
    assert (feeder.name, feeder.root_bus, feeder.base_kv, feeder.base_mva) == (
        "small",
        1,
        12.66,
        10,
    )
    np.testing.assert_allclose(feeder.load_kw, [0.0, 100.0, 150.0])
    np.testing.assert_allclose(feeder.load_kvar, [0.0, 60.0, 10.0])
    assert [str(line) for line in feeder.lines] == ["1-2", "2-3"]
    assert [str(line) for line in feeder.ties] == ["1-3"]
    np.testing.assert_allclose(feeder.limit_kva, [600.0, np.inf])
    np.testing.assert_allclose(feeder.resistance_pu, [0.01, 0.03])


def test_33_buses_as_a_case_file(tmp_path):
    # The published losses come out of a case file with the published tables.
    feeder = read_feeder("ieee33")
    buses = [
        f"{bus} {3 if bus == 1 else 1} {kw / 1e3!r} {kvar / 1e3!r} 0 0 1 1 0 12.66 1 1.1 0.9;"
        for bus, kw, kvar in zip(
            feeder.buses.tolist(), feeder.load_kw.tolist(), feeder.load_kvar.tolist()
        )
    ]
    branches = [
        f"{line.from_bus} {line.to_bus} {line.resistance_pu!r} {line.reactance_pu!r} "
        f"0 0 0 0 0 0 {int(line.closed)} -360 360;"
        for line in feeder.lines + feeder.ties
    ]
    text = ["function mpc = case33", "mpc.version = '2';", "mpc.baseMVA = 10;", "mpc.bus = ["]
    text += [*buses, "];", "mpc.gen = [", "1 0 0 10 -10 1 100 1 10 0;", "];", "mpc.branch = ["]
    file = tmp_path / "case33.m"
    file.write_text("\n".join([*text, *branches, "];", ""]))
    read = read_feeder(file)
    assert read.name == "case33"
    flow = ac_power_flow(read, [read.load_kw], [read.load_kvar])
    assert flow.losses_kw[0] == pytest.approx(202.677, abs=5e-4)
    assert len(read.ties) == 5


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("mpc.gen", "mpc.bus(:, 3) = mpc.bus(:, 3) / 1e3;\nmpc.gen", "line 9: .* its own tables"),
        ("mpc.branch =", "mpc.lines =", "not a MATPOWER case"),
        ("2 1 0.1", "2 3 0.1", "2 reference buses; a feeder has one root"),
        ("0.1 0.06 0 0 1", "0.1 0.06 0 0.2 1", "bus 2: a shunt susceptance cannot"),
        ("0 0 0 1 0 1", "0 0 0 1 30 1", "branch 3-2: a phase shift"),
        ("0 0 0 1 0 1", "0 0 0 0.98 0 1", "branch 3-2: a tap ratio other than 1"),
        ("1 3 0.05 0.06 0 0 0 0 0 0 0", "1 3 0.05 0.06 0 0 0 0 0 0 1", "is meshed"),
        ("1 3 0 0 0 0 1 1 0 12.66", "1 3 0 0 0 0 1 1 0 0", "BASE_KV 0 kV of the reference bus"),
    ],
)
def test_what_a_feeder_cannot_hold_is_named(case, old, new, message):
    with pytest.raises(ValueError, match=message):
        read_matpower_case(case(old, new))


def test_line_charging_is_left_out_and_said(case):
    feeder = read_matpower_case(case("0.03 0.04 0 0", "0.03 0.04 0.002 0"))
    assert feeder.source == "MATPOWER case small.m; left out: 20 kvar of line charging"


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(ValueError, match=r"none\.m: no such file"):
        read_matpower_case(tmp_path / "none.m")
