"""Trades of communities with managers over the horizon, level by level, and their links."""

import numpy as np
import pandas as pd

from nashgrid.runs.communities import links
from nashgrid.runs.scenario import Scenario


def level_totals(levels: pd.DataFrame, scenario: Scenario) -> dict[str, float | int]:
    """Energy by level [kWh], and links of members and managers against the flat market.

    Parameters
    ----------
    levels : table of an outcome, not empty
    """
    hours = scenario.horizon.slot_hours
    rest = hours * levels["rest_kw"].to_numpy(float)
    flat, two_levels = links(np.array([entry.community for entry in scenario.buildings]))
    return {
        "inside_kwh": float(hours * levels["inside_kw"].sum()),
        "to_community_kwh": float(hours * levels["residual_kw"].abs().sum()),
        "between_kwh": float(hours * levels["between_kw"].abs().sum() / 2),
        "rest_bought_kwh": float(rest[rest > 0].sum()),
        "rest_sold_kwh": float(-rest[rest < 0].sum()),
        "links": two_levels,
        "links_flat": flat,
    }
