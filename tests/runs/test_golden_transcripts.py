"""Every message of the small scenarios, against transcripts that people can read.

To write them anew after a change that is meant: python tests/runs/test_golden_transcripts.py
"""

import re
from functools import cache
from pathlib import Path

import pyarrow as pa
import pytest

from nashgrid.market.topics import UTILITY_MONEY
from nashgrid.runs import tables
from nashgrid.runs.inputs import with_values
from nashgrid.runs.markets import MARKETS
from nashgrid.runs.model import TradingModel
from nashgrid.runs.scenario_files import load_scenario
from nashgrid.runs.simulate import negotiate
from nashgrid.runs.transcript import transcript

GOLDEN = Path(__file__).parents[1] / "golden"
SCENARIOS = ("duet", "village")
EXCHANGES = tuple(dict.fromkeys(topic for one in MARKETS.values() for topic in one.exchanges))
REFUSED = [("village", UTILITY_MONEY)]
"""The village exports next to nothing, and without transfers its sellers would lose."""
HELD = [(s, e) for s in SCENARIOS for e in EXCHANGES if (s, e) not in REFUSED]
# What the acceleration makes of rounding errors differs between machines; what it leads to not.
SENSITIVE = ("mixing_weights", "residual_products")


def path_of(scenario: str, exchange: str) -> Path:
    return GOLDEN / scenario / f"{exchange.replace(' ', '-')}.txt"


@cache
def transcripts(scenario: str) -> dict[str, str]:
    held = negotiate(load_scenario(scenario), EXCHANGES, seed=1)
    assert [(scenario, exchange) for exchange in held.refused] == [
        pair for pair in REFUSED if pair[0] == scenario
    ]
    model = held.model
    messages = tables.messages_table(model.post.network.log)
    everybody = (*model.players, *model.coordinators.values())
    names = {int(address): one.name for one in everybody for address in one.addresses}
    abridged = scenario == "village"
    return {
        exchange: transcript(messages, names, exchange, abridged=abridged)
        for exchange in EXCHANGES
        if exchange not in held.refused
    }


def numbers(line: str) -> list[float]:
    return [float(word) for word in re.findall(r"(?<![\w'])-?\d+\.?\d*(?:e[+-]?\d+)?\b", line)]


def words(line: str) -> str:
    return re.sub(r"(?<![\w'])-?\d+\.?\d*(?:e[+-]?\d+)?\b", "#", line)


@pytest.mark.parametrize(("scenario", "exchange"), HELD)
def test_messages_are_those_of_the_transcript(scenario: str, exchange: str) -> None:
    path = path_of(scenario, exchange)
    expected = path.read_text(encoding="utf-8").splitlines()
    found = transcripts(scenario)[exchange].splitlines()
    for number, (line, golden) in enumerate(zip(found, expected, strict=False), start=1):
        where = f"{path.name}, line {number}"
        assert words(line) == words(golden), where
        bound = 1e-2 if line.split()[:1] in [[name] for name in SENSITIVE] else 2e-5
        assert numbers(line) == pytest.approx(numbers(golden), rel=1e-4, abs=bound), where
    assert len(found) == len(expected)


def test_no_transcript_is_left_over() -> None:
    expected = {path_of(*pair) for pair in HELD} | {GOLDEN / "README.md"}
    assert {path for path in GOLDEN.rglob("*") if path.is_file()} == expected


def test_transcripts_stay_readable() -> None:
    for path in GOLDEN.rglob("*.txt"):
        assert path.stat().st_size < 200_000


def test_an_exchange_that_was_not_held_is_named() -> None:
    model = TradingModel(with_values(load_scenario("duet")), ("utility-only",), seed=1)
    model.step()
    messages = tables.messages_table(model.post.network.log)
    with pytest.raises(ValueError, match="nobody spoke in an exchange 'trading'"):
        transcript(messages, {}, "trading")


def test_what_was_logged_without_content_has_no_transcript() -> None:
    model = TradingModel(with_values(load_scenario("duet")), ("utility-only",), seed=1)
    model.step()
    messages = tables.messages_table(model.post.network.log)
    counts = pa.array([700] * len(messages))
    digest = messages.set_column(messages.column_names.index("count"), "count", counts)
    with pytest.raises(ValueError, match="were logged without content"):
        transcript(digest, {}, "utility-only")


def write() -> None:
    """Write all transcripts anew."""
    for scenario in SCENARIOS:
        (GOLDEN / scenario).mkdir(exist_ok=True)
        for exchange, text in transcripts(scenario).items():
            path_of(scenario, exchange).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    write()
