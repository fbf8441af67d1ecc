"""What a leader's search shows, and how it is found from the list of markets."""

import pytest
from typer.testing import CliRunner

from nashgrid.runs.command_line import app
from nashgrid.runs.markets import market_named


def test_every_charge_is_shown_and_one_is_chosen() -> None:
    found = CliRunner().invoke(app, ["lead", "duet"])
    assert found.exit_code == 0, found.output
    assert found.output.count("chosen") == 2  # once in the table, once in the words
    assert found.output.count("kept") >= 11
    assert "no other schedule would save it more than" in found.output


def test_the_list_of_markets_tells_where_games_are() -> None:
    found = CliRunner().invoke(app, ["markets"])
    assert "nashgrid lead" in found.output
    with pytest.raises(ValueError, match="command of its own, `nashgrid lead`"):
        market_named("stackelberg")
