"""Feeder folders: the built-in ones, and the errors a user's own can give."""

import sys
from dataclasses import fields

import numpy as np
import pytest

from nashgrid.grid.feeder import Feeder
from nashgrid.grid.feeder_files import built_in_feeders, read_feeder, write_feeder

HEADER = 'name = "mine"\nsource = "own"\nbase_kv = 0.4\nbase_mva = 0.1\nroot_bus = 1\n'
BUSES = "bus,load_kw,load_kvar\n1,0,0\n2,3.5,1\n3,-2,0\n"
LINES = (
    "from_bus,to_bus,resistance_pu,reactance_pu,limit_kva,closed\n"
    "2,1,0.1,0.05,,1\n2,3,0.2,0.1,12.5,1\n1,3,0.2,0.1,,0\n"
)


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "feeder.toml").write_text(HEADER)
    (tmp_path / "buses.csv").write_text(BUSES)
    (tmp_path / "lines.csv").write_text(LINES)
    return tmp_path


def test_built_in_feeders_carry_the_published_totals():
    assert built_in_feeders() == ("european_lv", "feeder15", "ieee123", "ieee33", "ieee69")
    # Total load: Baran and Wu 1989 (33 buses), MATPOWER case69 (69), Papavasiliou 2018 (15),
    # IEEE 123-node test feeder (3490 kW, 1920 kvar less 750 kvar of capacitors), pandapower.
    totals = {
        "ieee33": (3715.0, 2300.0),
        "ieee69": (3802.1, 2694.7),
        "feeder15": (1412.1, 381.0),
        "ieee123": (3490.0, 1170.0),
        "european_lv": (57.358, 57.358 * np.tan(np.arccos(0.95))),
    }
    sizes = {
        "ieee33": (33, 5),
        "ieee69": (69, 0),
        "feeder15": (15, 0),
        "ieee123": (125, 2),
        "european_lv": (111, 0),
    }
    for name in built_in_feeders():
        feeder = read_feeder(name)
        assert feeder.name == name
        assert feeder.source
        assert (feeder.load_kw.sum(), feeder.load_kvar.sum()) == pytest.approx(totals[name])
        assert (feeder.bus_count, len(feeder.ties)) == sizes[name]
    # Ohms of the first line (.0922 + .0470i) on the base of 12.66 kV and 10 MVA.
    first = read_feeder("ieee33").lines[0]
    impedance = (first.resistance_pu * 12.66**2 / 10, first.reactance_pu * 12.66**2 / 10)
    assert impedance == pytest.approx((0.0922, 0.0470))


def test_a_folder_of_ones_own(folder):
    feeder = read_feeder(folder)
    assert [str(line) for line in feeder.lines] == ["1-2", "2-3"]
    assert [str(line) for line in feeder.ties] == ["1-3"]
    np.testing.assert_array_equal(feeder.limit_kva, [np.inf, 12.5])
    np.testing.assert_array_equal(feeder.load_kw, [0.0, 3.5, -2.0])
    assert (feeder.base_kva, feeder.root_bus) == (100.0, 1)
    assert read_feeder(str(folder)).lines == feeder.lines


@pytest.mark.parametrize(
    ("file", "old", "new", "message"),
    [
        ("buses.csv", "3.5", "3,5", r"buses.csv, row 3: 4 cells, but the header has 3"),
        ("buses.csv", "3.5", "much", r"buses.csv, column load_kw, row 3: 'much' is not a number"),
        ("buses.csv", "3.5", "", r"buses.csv, column load_kw, row 3: a blank cell"),
        ("buses.csv", "3.5", "nan", r"buses.csv, column load_kw, row 3: nan is not a finite"),
        ("buses.csv", "2,3.5", "2.5,3.5", r"buses.csv, column bus, row 3: 2.5 is not an integer"),
        ("buses.csv", "load_kvar", "q", r"buses.csv: missing column load_kvar; found bus, load_kw"),
        ("buses.csv", "3,-2,0", "2,-2,0", r"bus 2 is there twice"),
        ("lines.csv", "0.05,,1", "0.05,,2", r"lines.csv, column closed, row 2: 2 is neither 0"),
        ("lines.csv", "12.5", "inf", r"lines.csv, column limit_kva, row 3: inf is not a finite"),
        ("lines.csv", "1,3,0.2", "1,4,0.2", r"line 1-4: there is no bus 4"),
        ("lines.csv", "0.1,,0", "0.1,,1", r"meshed"),
        ("lines.csv", "12.5,1", "12.5,0", r"bus 3 has no path"),
        ("lines.csv", "2,1,0.1", "2,1,-0.1", r"line 2-1: resistance -0.1"),
        ("feeder.toml", "base_kv = 0.4", "", r"feeder.toml: missing key base_kv"),
        ("feeder.toml", "0.4", '"0.4"', r"feeder.toml: base_kv = '0.4' must be a number"),
        ("feeder.toml", "root_bus = 1", "root_bus = 1.0", r"root_bus = 1.0 must be an integer"),
        ("feeder.toml", "0.4", "-0.4", r"base_kv -0.4 kV must be positive"),
        ("feeder.toml", "0.4", "=", r"feeder.toml: .*line 3"),
    ],
)
def test_errors_name_file_column_and_row(folder, file, old, new, message):
    text = (folder / file).read_text()
    assert old in text
    (folder / file).write_text(text.replace(old, new))
    with pytest.raises(ValueError, match=message):
        read_feeder(folder)


@pytest.mark.parametrize("name", ["ieee33", "feeder15", "ieee123"])
def test_what_is_written_is_read_back(tmp_path, name):
    feeder = read_feeder(name)
    write_feeder(feeder, tmp_path / "copy")
    again = read_feeder(tmp_path / "copy")
    for field in fields(Feeder):
        np.testing.assert_array_equal(getattr(again, field.name), getattr(feeder, field.name))


@pytest.mark.parametrize(("ending", "extra"), [("m", "matpower"), ("json", "pandapower")])
def test_a_library_that_is_missing_is_named(tmp_path, monkeypatch, ending, extra):
    monkeypatch.setitem(sys.modules, "matpowercaseframes", None)
    monkeypatch.setitem(sys.modules, "pandapower", None)
    file = tmp_path / f"wires.{ending}"
    file.write_text("")
    with pytest.raises(ValueError, match=rf"wires\.{ending}: pip install 'nashgrid\[{extra}\]'"):
        read_feeder(file)


def test_missing_files_are_named(folder):
    (folder / "lines.csv").unlink()
    with pytest.raises(ValueError, match=r"lines.csv: no such file"):
        read_feeder(folder)
    (folder / "feeder.toml").unlink()
    with pytest.raises(ValueError, match=r"feeder.toml: no such file"):
        read_feeder(folder)
    with pytest.raises(ValueError, match=r"no feeder ieee34: .*feeder15, ieee123, ieee33, ieee69"):
        read_feeder("ieee34")
    (folder / "feeder.toml").write_text(HEADER)
    (folder / "lines.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ValueError, match=r"lines.csv: not a text file"):
        read_feeder(folder)
