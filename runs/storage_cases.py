"""What shareable storage adds to sharing: three cases of one community, within the same wires.

base              everybody deals with the utility alone, and nobody's storage serves another
sharing           energy is traded, storage still serves its owner's connection alone
sharing, storage  community batteries and storage for rent are there for all

Shareable is what serves a community: a community battery, and a battery that its owner lets.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from nashgrid.market.topics import TRADING, UTILITY_ONLY
from nashgrid.runs.outcome import Outcome
from nashgrid.runs.scenario import Scenario
from nashgrid.runs.simulate import simulate

BASE, SHARING, WITH_STORAGE = CASES = "base", "sharing", "sharing and storage"
_FULL = 0.999


@dataclass(frozen=True)
class StorageCases:
    """The three cases of a scenario.

    Attributes
    ----------
    without, shared : outcomes without shareable storage and with it
    """

    without: Outcome
    shared: Outcome

    @property
    def certified(self) -> bool:
        """Whether both outcomes are."""
        return self.without.certified and self.shared.certified

    @property
    def table(self) -> pd.DataFrame:
        """A row for each case: cost of the community, what it falls by, and what the wires do.

        `full_line_slots` counts lines at their limit by LinDistFlow, slot by slot; losses and
        voltages are those of AC power flow. Money is in the scenario's currency.
        """
        rows = []
        for case, outcome, of_tables, total in (
            (BASE, self.without, UTILITY_ONLY, "cost_before"),
            (SHARING, self.without, TRADING, "cost_after"),
            (WITH_STORAGE, self.shared, TRADING, "cost_after"),
        ):
            rows.append(
                {"case": case, "cost": outcome.summary[total], **_wires(outcome, of_tables)}
            )
        table = pd.DataFrame(rows)
        table.insert(2, "reduction", table["cost"].iloc[0] - table["cost"])
        table.insert(3, "reduction_percent", 100 * table["reduction"] / abs(table["cost"].iloc[0]))
        return table

    @property
    def agents(self) -> pd.DataFrame:
        """Cost of every agent in each case, its payments in it; agents x cases.

        Community batteries are there in the last case alone.
        """
        alone, shared = (one.accounts.set_index("agent") for one in (self.without, self.shared))
        columns = {
            BASE: alone["cost_before"],
            SHARING: alone["cost_after"],
            WITH_STORAGE: shared["cost_after"],
        }
        return pd.DataFrame(columns).reindex(shared.index)

    def save(self, folder: str | Path | None = None) -> Path:
        """Write both tables, and both runs in folders of their own, into a new folder.

        Raises
        ------
        ValueError
            If the folder exists already or cannot be written.
        """
        from nashgrid.runs.run_folder import save_study

        def write(place: Path) -> None:
            self.table.to_csv(place / "storage.csv", index=False, lineterminator="\n")
            self.agents.to_csv(place / "agents.csv", index_label="agent", lineterminator="\n")
            self.without.save(place / "without")
            self.shared.save(place / "shared")

        return save_study(self.shared.scenario, write, folder)


def storage_cases(scenario: Scenario, market: str = "competitive", seed: int = 1) -> StorageCases:
    """Run a community without its shareable storage, and with it.

    Parameters
    ----------
    market : by whose rule energy is paid for; total costs are the same in all that share schedules

    Raises
    ------
    ValueError
        If the scenario has no feeder or no shareable storage, or as `simulate`.
    """
    if scenario.feeder is None:
        raise ValueError(f"{scenario.name}: storage within network limits needs a feeder")
    without = without_shareable_storage(scenario)
    if without == scenario:
        raise ValueError(
            f"{scenario.name}: there is no storage to share: neither a community battery nor a "
            "battery that its owner rents to others"
        )
    try:
        alone = simulate(without, market, seed)
    except ValueError as error:
        raise ValueError(f"{scenario.name} without its shareable storage: {error}") from error
    return StorageCases(alone, simulate(scenario, market, seed))


def without_shareable_storage(scenario: Scenario) -> Scenario:
    """The same scenario without community batteries, and with nothing for rent."""
    buildings = tuple(
        building.model_copy(
            update={
                "batteries": tuple(
                    battery.model_copy(update={"rents_to": None}) for battery in building.batteries
                )
            }
        )
        for building in scenario.buildings
    )
    gone = {battery.name for battery in scenario.community_batteries}
    links = tuple(link for link in scenario.messages.links if link.agent not in gone)
    return scenario.model_copy(
        update={
            "community_batteries": (),
            "buildings": buildings,
            "messages": scenario.messages.model_copy(update={"links": links}),
        }
    )


def _wires(outcome: Outcome, case: str) -> dict[str, float]:
    own = outcome.lines[outcome.lines["case"] == case]
    loading = np.hypot(own["flow_kw"], own["flow_kvar"]) / own["limit_kva"]
    ac = outcome.certificate["ac_power_flow"][case]
    return {
        "full_line_slots": int((loading > _FULL).sum()),
        "losses_kwh": ac["losses_kwh"],
        "lowest_voltage_pu": ac["lowest_voltage_pu"],
        "highest_voltage_pu": ac["highest_voltage_pu"],
    }
