"""Scenario files: what is read is what was written, and what is wrong is named."""

import copy
import inspect
from collections.abc import Callable
from datetime import UTC, datetime, time
from pathlib import Path
from typing import Any

import pytest
import tomli_w
from pydantic import BaseModel

from nashgrid.runs import population_entry, scenario, scenario_devices, scenario_feeder
from nashgrid.runs.scenario_files import (
    built_in_scenarios,
    load_scenario,
    parse_scenario,
    scenario_toml,
)

NAMES = (
    "campus33",
    "campus33-export",
    "campus33-negative",
    "campus33-winter",
    "district",
    "district33",
    "duet",
    "harbour15",
    "quarters",
    "town123",
    "village",
)
MODELS = sorted(
    {
        model
        for module in (scenario, scenario_devices, scenario_feeder, population_entry)
        for _, model in inspect.getmembers(module, inspect.isclass)
        if issubclass(model, BaseModel) and model.__module__ == module.__name__
    },
    key=lambda model: model.__name__,
)


def test_the_built_in_scenarios_are_listed_with_what_they_show() -> None:
    listed = built_in_scenarios()
    assert tuple(listed) == NAMES
    assert all(len(words) > 20 for words in listed.values())


@pytest.mark.parametrize("name", NAMES)
def test_a_built_in_scenario_goes_through_toml_and_back(name: str) -> None:
    read = load_scenario(name)
    assert read.name == name
    text = scenario_toml(read)
    assert parse_scenario(text, "again", Path()) == read
    # Complete: defaults stand in the text too.
    assert "over_relaxation = 1.6" in text
    assert scenario_toml(parse_scenario(text, "again", Path())) == text


def test_a_scenario_of_ones_own_is_given_by_its_path(
    tmp_path: Path, duet: dict[str, Any], write: Callable[..., Path]
) -> None:
    read = load_scenario(write(tmp_path, duet))
    assert read.folder == tmp_path
    assert read.model_copy(update={"folder": Path()}) == load_scenario("duet")


def test_the_models_are_found() -> None:
    assert len(MODELS) > 15
    assert {"Scenario", "BuildingEntry", "VehicleEntry"} <= {model.__name__ for model in MODELS}


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_every_field_is_described(model: type[BaseModel]) -> None:
    missing = [name for name, field in model.model_fields.items() if not field.description]
    assert not missing
    assert model.__doc__


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_every_quantity_carries_its_unit_in_the_description(model: type[BaseModel]) -> None:
    units = {
        "_kw": "[kW]",
        "_kwh": "[kWh]",
        "_kva": "[kVA]",
        "_kva_per_kw": "[kVA/kW]",
        "_pu": "[pu]",
        "_s": "[s]",
        "_minutes": "[min]",
        "_m_per_s": "[m/s]",
        "price_per_kwh": "[currency/kWh]",
        "_soc": "[per unit]",
    }
    for name, field in model.model_fields.items():
        for ending, unit in sorted(units.items(), key=lambda pair: -len(pair[0])):
            if name.endswith(ending) and not (ending == "_kwh" and "_per_kwh" in name):
                assert unit in str(field.description), name
                break


def refusal(duet: dict[str, Any], change: Callable[[dict[str, Any]], object]) -> str:
    content = copy.deepcopy(duet)
    change(content)
    with pytest.raises(ValueError, match=r"^scenario mine\.toml: ") as caught:
        parse_scenario(tomli_w.dumps(content), "mine.toml", Path())
    assert "\n" not in str(caught.value)
    return str(caught.value)


def in_sunny(**fields: Any) -> Callable[[dict[str, Any]], object]:
    return lambda content: content["buildings"][0].update(fields)


def in_part(part: str, **fields: Any) -> Callable[[dict[str, Any]], object]:
    return lambda content: content.setdefault(part, {}).update(fields)


def in_device(kind: str, **fields: Any) -> Callable[[dict[str, Any]], object]:
    return lambda content: content["buildings"][0].update({kind: [fields]})


TARIFF = {"start": time(0), "retail_price_per_kwh": 0.3, "feed_in_price_per_kwh": 0.1}
NAN = float("nan")
BATTERY: dict[str, Any] = {"capacity_kwh": 10.0, "power_kw": 4.0}
VEHICLE: dict[str, Any] = {**BATTERY, "arrival": time(10), "departure": time(12)}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        # Wrong types: text or a truth value is no number, not even where Python would take it.
        (in_sunny(connection_kw="ten"), ["'Sunny house'", "connection_kw", "number", "'ten'"]),
        (in_sunny(connection_kw="10"), ["'Sunny house'", "connection_kw", "number", "'10'"]),
        (in_sunny(connection_kw=True), ["connection_kw", "number", "True"]),
        (in_sunny(name=7), ["buildings 7: name", "string"]),
        (in_part("horizon", slots=4.5), ["horizon: slots", "integer", "4.5"]),
        (in_part("horizon", slots=True), ["horizon: slots", "integer", "True"]),
        (in_part("horizon", start="soon"), ["horizon: start", "'soon'"]),
        (lambda c: c.update(buildings=3), ["buildings", "3"]),
        (lambda c: c.update(currency="XXX"), ["currency", "'EUR'", "'XXX'"]),
        # Out of range.
        (in_sunny(connection_kw=-1.0), ["'Sunny house'", "connection_kw", "greater than 0", "-1"]),
        (in_sunny(power_factor=1.2), ["power_factor", "less than or equal to 1", "1.2"]),
        (in_sunny(bargaining_weight=0), ["bargaining_weight", "greater than 0", "0"]),
        (in_part("horizon", slots=0), ["horizon: slots", "greater than or equal to 1", "0"]),
        (in_part("horizon", slots=3001), ["horizon: slots", "less than or equal to 3000", "3001"]),
        (in_part("messages", loss=0.9), ["messages: loss", "less than 0.9", "given: 0.9"]),
        (in_part("messages", latency_s=-1), ["messages: latency_s", "equal to 0", "-1"]),
        (in_part("negotiation", tolerance=0.2), ["tolerance", "less than or equal to 0.1", "0.2"]),
        (in_part("negotiation", over_relaxation=2), ["over_relaxation", "less than 2"]),
        (in_part("utility", exchange_limit_kw=0), ["utility: exchange_limit_kw", "0"]),
        (in_device("batteries", **BATTERY, initial_soc=0.95), ["initial_soc = 0.95", "0.9"]),
        (in_device("batteries", **BATTERY, charge_efficiency=0), ["charge_efficiency", "0"]),
        (
            in_device("vehicles", **VEHICLE | {"departure": time(9)}),
            ["arrival = 10:00:00", "departure = 09:00:00"],
        ),
        (
            in_device("wind", profile="WP1", rating_kw=3.0, cut_in_m_per_s=13.0),
            ["cut_in_m_per_s", "13", "12", "25"],
        ),
        (
            lambda c: c.update(feeder={"name": "ieee33", "root_voltage_pu": 1.2}),
            ["root_voltage_pu = 1.2", "0.95", "1.05"],
        ),
        # Not a number.
        (in_sunny(connection_kw=NAN), ["connection_kw", "nan"]),
        (in_device("loads", values=[1.0, NAN, 1, 1], unit="kw"), ["values[1]", "finite", "nan"]),
        (in_part("negotiation", tolerance=NAN), ["tolerance", "nan"]),
        (in_part("messages", loss=NAN), ["loss", "nan"]),
        (in_part("messages", latency_s=float("inf")), ["latency_s", "inf"]),
        (in_sunny(power_factor=NAN), ["power_factor", "nan"]),
        # Unknown, missing or contradicting.
        (in_sunny(conection_kw=3), ["'Sunny house'", "conection_kw", "3"]),
        (lambda c: c.update(tarif=[]), ["tarif", "no such field"]),
        (lambda c: c["buildings"][0].pop("connection_kw"), ["connection_kw", "required"]),
        (lambda c: c.pop("utility"), ["utility", "required"]),
        (in_device("loads", values=[1.0] * 4), ["'values' and 'unit' go together"]),
        (in_device("loads", file="a.csv"), ["'file' and 'column' go together"]),
        (
            in_device("loads", profile="H0-A", values=[1.0] * 4, unit="kw"),
            ["exactly one", "profile, values"],
        ),
        (in_device("loads"), ["exactly one", "none"]),
        (lambda c: c["buildings"][0].update(loads=[], pv=[]), ["Sunny house", "at least one dev"]),
        # What does not fit together.
        (in_sunny(name="Shady house"), ["unique", "'Shady house'", "2x"]),
        (in_sunny(name="utility"), ["'utility'"]),
        (in_sunny(name="operator"), ["'operator'"]),
        (in_sunny(kind="utility"), ["Sunny house", "kind", "'utility'"]),
        (
            in_device("batteries", **BATTERY | {"power_kw": 11.0}),
            ["Sunny house", "power_kw = 11", "connection_kw = 10"],
        ),
        (
            in_device("vehicles", **VEHICLE | {"power_kw": 11.0}),
            ["Sunny house", "power_kw = 11", "connection_kw = 10"],
        ),
        (
            lambda c: c["utility"].update(tariff=[TARIFF | {"feed_in_price_per_kwh": 0.4}]),
            ["tariff[0]", "feed_in_price_per_kwh = 0.4", "retail_price_per_kwh = 0.3"],
        ),
        (lambda c: c["utility"].update(tariff=[TARIFF, TARIFF]), ["tariff", "rising order"]),
        (lambda c: c["utility"].update(tariff=[]), ["utility: tariff", "at least 1"]),
        (
            lambda c: c["utility"].update(tariff=[TARIFF | {"start": "00:00:00Z"}]),
            ["tariff[0]: start", "UTC offset"],
        ),
        (in_part("horizon", start="2016-06-23T00:00:00+02:00"), ["horizon: start", "timezone"]),
        (lambda c: c.pop("buildings"), ["at least one building, battery or generator"]),
        (lambda c: c.update(buildings=[]), ["at least one building, battery or generator"]),
        (in_sunny(bus=3), ["Sunny house", "'bus'", "feeder"]),
        (lambda c: c.update(feeder={"name": "ieee33"}), ["Sunny house", "'bus'", "feeder"]),
        (in_part("bargaining", operator_weight=1.0), ["operator_weight = 1.0", "feeder"]),
        (in_part("messages", links=[{"agent": "Nobody"}]), ["links", "'Nobody'"]),
        (
            lambda c: c.update(
                generators=[
                    {
                        "name": "Engine",
                        "maximum_kw": 2.0,
                        "minimum_kw": 3.0,
                        "linear_cost_per_kwh": 0.1,
                        "quadratic_cost_per_kw2h": 0.01,
                    }
                ]
            ),
            ["Engine", "minimum_kw = 3", "maximum_kw = 2"],
        ),
    ],
)
def test_what_is_wrong_is_named_with_value_and_bound(
    duet: dict[str, Any], change: Callable[[dict[str, Any]], object], words: list[str]
) -> None:
    message = refusal(duet, change)
    for word in words:
        assert word in message


def test_every_mistake_is_named_at_once(duet: dict[str, Any]) -> None:
    def change(content: dict[str, Any]) -> None:
        content["buildings"][0]["connection_kw"] = -1.0
        content["horizon"]["slots"] = 0

    message = refusal(duet, change)
    assert "connection_kw" in message
    assert "slots" in message


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda c: c["utility"]["tariff"][0].update(retail_price_per_kwh=float("inf")),
            "utility: tariff[0]: retail_price_per_kwh: Input should be a finite number "
            "(given: inf)",
        ),
        (
            lambda c: c["horizon"].update(start=datetime(2016, 6, 23, 10, tzinfo=UTC)),
            "horizon: start: Input should not have timezone info "
            "(given: 2016-06-23 10:00:00+00:00)",
        ),
        (
            lambda c: c["buildings"][0].update(name="A/B"),
            "buildings 'A/B': name: '/' cannot stand in a name; letters, digits, spaces and "
            ". - + & ( ) _ can (given: 'A/B')",
        ),
        (lambda c: c.update(folder="here"), "folder: there is no such field"),
        (
            lambda c: c.update(messages={"lost": 0.5}),
            "messages: lost: there is no such field (given: 0.5)",
        ),
        (lambda c: c["utility"].pop("tariff"), "utility: tariff: required, but not given"),
    ],
)
def test_a_mistake_is_told_in_plain_words_and_once(
    duet: dict[str, Any], change: Callable[[dict[str, Any]], object], message: str
) -> None:
    assert refusal(duet, change).endswith(f": {message}")


def test_text_that_is_no_toml_is_named_with_its_line() -> None:
    with pytest.raises(ValueError, match=r"mine\.toml is not valid TOML: .*line 2"):
        parse_scenario('name = "a"\nname = \n', "mine.toml", Path())


def test_an_unknown_name_gets_a_proposal() -> None:
    with pytest.raises(ValueError, match="no built-in scenario 'campus3'; did you mean 'campus33'"):
        load_scenario("campus3")


def test_a_file_that_is_not_there_or_not_text_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"gone\.toml does not exist"):
        load_scenario(tmp_path / "gone.toml")
    (tmp_path / "folder.toml").mkdir()
    with pytest.raises(ValueError, match=r"folder\.toml is a folder"):
        load_scenario(tmp_path / "folder.toml")
    (tmp_path / "bytes.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(ValueError, match=r"bytes\.toml cannot be read"):
        load_scenario(tmp_path / "bytes.toml")
