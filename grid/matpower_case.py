"""Radial feeders from MATPOWER case files, read by matpowercaseframes (the extra `matpower`)."""

from __future__ import annotations

import math
import re
from pathlib import Path

import numpy as np
import pandas as pd

from nashgrid.grid.feeder import Feeder, make_feeder
from nashgrid.grid.line import Line

_REFERENCE = 3
# What a feeder of series impedances cannot hold: column of the table, and the value that it may be.
_UNSUPPORTED_AT_BUS = (("GS", "a shunt conductance"), ("BS", "a shunt susceptance"))


def read_matpower_case(path: str | Path) -> Feeder:
    """Read a radial MATPOWER case (version 2, `.m`) as a feeder.

    Loads are Pd and Qd; a generator at another bus than the reference bus counts as the negative
    load Pg, Qg. Branches out of service become ties; RATE_A is the line's limit, 0 means none.
    Line charging is left out; `source` says how much it is.

    Parameters
    ----------
    path : path of the case file; the feeder has its name

    Raises
    ------
    ValueError
        If the file is missing, changes its own tables by code (as MATPOWER's case33bw does: save
        it with `savecase` first), has several reference buses, or holds what a feeder cannot
        (shunts, tap ratios other than 1, phase shifts); or is not radial.
    ImportError
        If matpowercaseframes is not installed: `pip install nashgrid[matpower]`.
    """
    from matpowercaseframes import CaseFrames  # An extra: only who reads such a file needs it.

    file = Path(path)
    if not file.is_file():
        raise ValueError(f"{file}: no such file")
    _check_text(file)
    case = CaseFrames(str(file))
    bus, branch, gen = case.bus, case.branch, case.gen
    _check_tables(file, bus, branch)
    labels = bus["BUS_I"].to_numpy(dtype=np.int64)
    reference = labels[bus["BUS_TYPE"].to_numpy() == _REFERENCE]
    if len(reference) != 1:
        raise ValueError(f"{file}: {len(reference)} reference buses; a feeder has one root")
    root = int(reference[0])
    load_mw = bus["PD"].to_numpy(dtype=np.float64).copy()
    load_mvar = bus["QD"].to_numpy(dtype=np.float64).copy()
    for at, p_mw, q_mvar, status in gen[["GEN_BUS", "PG", "QG", "GEN_STATUS"]].to_numpy():
        if status > 0 and int(at) != root:
            load_mw[labels == int(at)] -= p_mw
            load_mvar[labels == int(at)] -= q_mvar
    charging_kvar = 1e3 * float(case.baseMVA) * float(branch["BR_B"].sum())
    return make_feeder(
        name=file.stem,
        source=f"MATPOWER case {file.name}; left out: {charging_kvar:.3g} kvar of line charging",
        base_kv=_base_kv(file, bus),
        base_mva=float(case.baseMVA),
        root_bus=root,
        buses=labels,
        load_kw=1e3 * load_mw,
        load_kvar=1e3 * load_mvar,
        lines=[
            Line(int(one), int(other), r_pu, x_pu, 1e3 * rate_mva or math.inf, status > 0)
            for one, other, r_pu, x_pu, rate_mva, status in branch[
                ["F_BUS", "T_BUS", "BR_R", "BR_X", "RATE_A", "BR_STATUS"]
            ].to_numpy(dtype=np.float64)
        ],
    )


def _check_text(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    for number, line in enumerate(text.splitlines(), start=1):
        if re.search(r"mpc\.\w+\s*\(.*=", line.split("%")[0]):
            raise ValueError(
                f"{file}, line {number}: the case changes its own tables by code, which is not "
                "run here; save it with MATPOWER's savecase and read that file"
            )
    if not all(re.search(rf"mpc\.{table}\s*=", text) for table in ("bus", "branch", "gen")):
        raise ValueError(f"{file}: not a MATPOWER case (mpc.bus, mpc.branch and mpc.gen)")


def _check_tables(file: Path, bus: pd.DataFrame, branch: pd.DataFrame) -> None:
    for column, what in _UNSUPPORTED_AT_BUS:
        wrong = np.flatnonzero(bus[column].to_numpy() != 0)
        if wrong.size:
            label = int(bus["BUS_I"].to_numpy()[wrong[0]])
            raise ValueError(f"{file}, bus {label}: {what} cannot be part of a feeder")
    ratio = branch["TAP"].to_numpy(dtype=np.float64)
    wrong_ratio = (ratio != 0) & (ratio != 1)
    shifted = branch["SHIFT"].to_numpy() != 0
    for wrong_branch, what in (
        (shifted, "a phase shift"),
        (wrong_ratio, "a tap ratio other than 1"),
    ):
        wrong = np.flatnonzero(wrong_branch)
        if wrong.size:
            one, other = branch[["F_BUS", "T_BUS"]].to_numpy()[wrong[0]]
            raise ValueError(
                f"{file}, branch {int(one)}-{int(other)}: {what} cannot be part of a feeder"
            )


def _base_kv(file: Path, bus: pd.DataFrame) -> float:
    """The base voltage: of the reference bus, as a feeder's impedances are per unit."""
    base_kv = bus["BASE_KV"].to_numpy(dtype=np.float64)
    at_root = float(base_kv[bus["BUS_TYPE"].to_numpy() == _REFERENCE][0])
    if not at_root > 0:
        raise ValueError(f"{file}: BASE_KV {at_root:g} kV of the reference bus must be positive")
    return at_root
