"""What can be verified of a run whose population appears in sums, and what cannot."""

from collections.abc import Iterator

import numpy as np

from nashgrid.market.settlement import NANO_PER_MICRO
from nashgrid.runs.group_sums import Groups
from nashgrid.runs.run_folder import StoredRun, table_file

LARGEST_IMBALANCE_KW = 1e-6


def sums_failures(run: StoredRun) -> Iterator[str]:
    """What does not fit, in words; last, what the files do not hold."""
    yield from _unbalanced(run)
    yield from _wrong_accounts(run)
    yield from _wrong_payments(run)
    for name, claim in run.record["certificate"]["claims"].items():
        if not (claim["holds"] and claim["value"] <= claim["bound"]):
            yield f"the claim {name!r} does not hold"
    yield (
        f"not verified: {run.record['certificate']['sums_only']}, and the files hold no schedule "
        f"to recompute that from. The same scenario with seed {run.record['seed']} gives the same "
        "answer, in one process or with any number of workers"
    )


def _unbalanced(run: StoredRun) -> Iterator[str]:
    sums = run.tables.trades.groupby(["case", "bus", "slot"], observed=True)["trade_kw"].sum()
    allowed = LARGEST_IMBALANCE_KW * max(1.0, float(run.tables.trades["trade_kw"].abs().max()))
    if not float(sums.abs().max()) <= allowed:
        case, bus, slot = sums.abs().idxmax()
        name = table_file(run.folder, "trades")
        yield f"{name}: the trades of {case!r} at bus {bus} in slot {slot} do not sum to zero"


def _wrong_accounts(run: StoredRun) -> Iterator[str]:
    accounts, name = run.tables.accounts, table_file(run.folder, "accounts")
    if int(accounts["payment_micro"].sum()) != 0:
        yield f"{name}: the payments do not sum to zero"
    after = accounts["own_cost"] + accounts["payment_micro"] / 1e6
    saving = accounts["cost_before"] - after
    for column, values in (("cost_after", after), ("saving", saving)):
        wrong = ~np.isclose(accounts[column], values, rtol=1e-9, atol=1e-9)
        if wrong.any():
            yield f"{name}: {column} of {accounts['agent'][wrong].iloc[0]} is not what it comes to"


def _wrong_payments(run: StoredRun) -> Iterator[str]:
    """What the groups pay by the settlement is the sum of what their members pay."""
    accounts = run.tables.accounts
    others = int((accounts["community"] == "").sum())
    agents = accounts.iloc[: len(accounts) - others]
    columns = ["agent", "kind", "community", "bus", "weight"]
    groups = Groups.of(agents[columns], len(run.scenario.agents))
    paid = groups.accounts(accounts)
    table = run.tables.settlement
    amount = table["amount_nano"].astype("int64")
    net = amount.groupby(table["payer"].astype(str)).sum()
    net = net.sub(amount.groupby(table["payee"].astype(str)).sum(), fill_value=0)
    expected = net.reindex(paid["agent"].astype(str), fill_value=0).to_numpy() / NANO_PER_MICRO
    # Everybody's payment is cut to whole micro-units once.
    members = np.bincount(groups.group, minlength=len(groups.roster))
    slack = np.append(members, np.full(others, len(agents)))
    wrong = np.abs(paid["payment_micro"].to_numpy() - expected) > slack
    if wrong.any():
        name, who = table_file(run.folder, "settlement"), paid["agent"][wrong].iloc[0]
        yield f"{name}: the payments of {who} are not those of its accounts"
