"""Small scenarios that the tests of this floor share."""

import copy
import tomllib
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
import tomli_w

FEEDER = {
    "feeder.toml": 'name = "three"\nsource = "made up"\nbase_kv = 0.4\nbase_mva = 0.1\n'
    "root_bus = 1\n",
    "buses.csv": "bus,load_kw,load_kvar\n1,0,0\n2,0,0\n3,0,0\n",
    "lines.csv": "from_bus,to_bus,resistance_pu,reactance_pu,limit_kva,closed\n"
    "1,2,0.01,0.005,,1\n2,3,0.02,0.01,4,1\n",
}


def duet_content() -> dict[str, Any]:
    text = (files("nashgrid.runs.scenarios") / "duet.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


@pytest.fixture(scope="session")
def duet() -> dict[str, Any]:
    """Content of the built-in duet; copy before changing."""
    return duet_content()


@pytest.fixture(scope="session")
def trio() -> dict[str, Any]:
    """The duet and a battery on a feeder of three buses, limits in reach."""
    content = duet_content()
    content["name"] = "trio"
    content["feeder"] = {
        "name": "wires",
        "minimum_voltage_pu": 0.9,
        "maximum_voltage_pu": 1.1,
    }
    for bus, building in enumerate(content["buildings"], start=2):
        building["bus"] = bus
    battery = {"name": "Shed", "bus": 3, "capacity_kwh": 4.0, "power_kw": 1.5}
    content["community_batteries"] = [battery]
    return content


@pytest.fixture(scope="session")
def write() -> Callable[..., Path]:
    """write(folder, content, **files) puts scenario.toml and the feeder of three buses there."""

    def put(folder: Path, content: dict[str, Any], wires: dict[str, str] | None = None) -> Path:
        if "feeder" in content:
            (folder / "wires").mkdir(exist_ok=True)
            for name, text in {**FEEDER, **(wires or {})}.items():
                (folder / "wires" / name).write_text(text, encoding="utf-8")
        path = folder / "mine.toml"
        path.write_text(tomli_w.dumps(copy.deepcopy(content)), encoding="utf-8")
        return path

    return put
