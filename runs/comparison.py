"""Outcomes of several markets on one scenario, and what can be read off them together."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from nashgrid.runs.comparison_measures import MATTERS, NOT_CERTIFIED, parties, players
from nashgrid.runs.outcome import Outcome
from nashgrid.runs.scenario import Scenario


@dataclass(frozen=True)
class Comparison:
    """Outcomes of several markets on one scenario.

    Exchanges that markets have in common are held once: markets that differ in payments alone
    settle the very same schedules.

    Attributes
    ----------
    scenario, seeds : what was run
    outcomes : seed -> market -> outcome, of the markets that were not refused
    table : one row per seed and market; see `compare`
    """

    scenario: Scenario
    seeds: tuple[int, ...]
    outcomes: dict[int, dict[str, Outcome]]
    table: pd.DataFrame

    @property
    def certified(self) -> bool:
        """Whether every market that has a meaning here converged and was certified."""
        return not (self.table["status"] == NOT_CERTIFIED).any()

    @property
    def first_seed(self) -> dict[str, Outcome]:
        """Outcomes of the first seed by market, for pictures."""
        return self.outcomes[self.seeds[0]]

    @property
    def savings(self) -> pd.DataFrame:
        """(agents, markets) savings against the utility alone, mean over the seeds [currency]."""
        return self._savings_of(players)

    @property
    def savings_of_all(self) -> pd.DataFrame:
        """The same for all parties, those who only deliver included: operator and utility."""
        return self._savings_of(parties)

    def _savings_of(self, accounts: Callable[[Outcome], pd.DataFrame]) -> pd.DataFrame:
        of_seeds = [
            pd.DataFrame({name: accounts(one)["saving"] for name, one in outcomes.items()})
            for outcomes in self.outcomes.values()
        ]
        whole = pd.concat(of_seeds).groupby(level=0, sort=False).mean()
        return whole[[name for name in self.table["market"].unique() if name in whole]]

    @property
    def better(self) -> pd.DataFrame:
        """How many agents have more under the market of the row than under that of the column."""
        savings = self.savings
        more = (savings.to_numpy()[:, :, None] - savings.to_numpy()[:, None, :]) > MATTERS
        names = list(savings)
        return pd.DataFrame(more.sum(axis=0), index=names, columns=names)

    def report(self, path: str | Path) -> Path:
        """Write the page: one HTML file that opens offline."""
        from nashgrid.runs.report.comparison_page import write_comparison

        return write_comparison(self, Path(path))

    def save(self, folder: str | Path | None = None) -> Path:
        """Write page and tables into a new folder; without one, the next under nashgrid-runs.

        Raises
        ------
        ValueError
            If the folder exists already or cannot be written.
        """
        from nashgrid.runs.run_folder import save_study

        def write(place: Path) -> None:
            self.table.to_csv(place / "comparison.csv", index=False, lineterminator="\n")
            self.savings.to_csv(place / "savings.csv", index_label="agent", lineterminator="\n")
            self.better.to_csv(place / "better.csv", index_label="market", lineterminator="\n")
            self.report(place / "comparison.html")

        return save_study(self.scenario, write, folder)
