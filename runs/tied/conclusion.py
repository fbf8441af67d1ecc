"""From what was agreed on in two tied feeders to tables, certificate and summary."""

from typing import Any

import pandas as pd
import pyarrow as pa

from nashgrid.runs.tied.certificate import certify_tied
from nashgrid.runs.tied.half import Half
from nashgrid.runs.tied.ledger import settle_tied
from nashgrid.runs.tied.summary import summarise_tied
from nashgrid.runs.tied.tables import TiedTables, joined, tie_table


def conclude(
    first: Half, second: Half, rounds: pd.DataFrame, messages: pa.Table
) -> tuple[TiedTables, dict[str, Any], dict[str, Any]]:
    """Settle, prove and sum up; the same of a run and of its files.

    Parameters
    ----------
    rounds, messages : of the exchange over both
    """
    halves = first, second
    names = [half.name for half in halves]
    settlement, accounts = settle_tied(first, second)
    tables = TiedTables(
        tie=tie_table(first, second),
        settlement=settlement,
        rounds=rounds,
        accounts=joined(names, accounts),
        **{
            table: joined(names, [getattr(half, table) for half in halves])
            for table in ("prices", "trades", "schedules")
        },
        **{
            table: joined(names, [getattr(half.network, table) for half in halves])
            for table in ("voltages", "lines", "losses", "price_parts", "reactive")
        },
    )
    certificate = certify_tied(first, second, tables, messages)
    return tables, certificate, summarise_tied(first, second, tables, messages)
