"""The entry of a scenario from which many buildings are drawn at random."""

import re
from datetime import time
from typing import Annotated, Self

from pydantic import Field, model_validator

from nashgrid.runs.scenario_devices import (
    Efficiency,
    Entry,
    Fraction,
    Name,
    NotNegative,
    Positive,
    TimeOfDay,
)

DIGITS = 7
LARGEST_COUNT = 10**DIGITS - 1
# Draws end at three standard deviations: at 1 that is a factor of 20 either way.
Spread = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False, strict=True)]
Hours = Annotated[float, Field(ge=0, le=6, allow_inf_nan=False, strict=True)]
SPREAD = "spread (standard deviation of the natural logarithm)"


class KindEntry(Entry):
    """One kind of building of a population."""

    name: Name = Field(description="name of the kind, for grouping results")
    share: Positive = Field(description="of the population, relative to the sum of all shares")
    profiles: tuple[str, ...] = Field(
        min_length=1, description="built-in load profiles; each building mixes two of them"
    )
    annual_kwh: Positive = Field(description="median of the annual consumption [kWh]")
    annual_spread: Spread = Field(0.5, description=f"of the annual consumption: {SPREAD}")
    preferred_from: TimeOfDay = Field(description="start of the preferred time of what can shift")
    preferred_until: TimeOfDay = Field(description="end of that time; it may pass midnight")
    arrival: TimeOfDay = Field(description="mean start of a vehicle's stay, time of day")
    departure: TimeOfDay = Field(description="mean end of the stay; 00:00 means midnight")

    @model_validator(mode="after")
    def _stays(self) -> Self:
        if time(0) < self.departure <= self.arrival:
            raise ValueError(
                f"arrival = {self.arrival} must come before departure = {self.departure}"
            )
        return self


# The annual consumption of a household is that of the German price statistics (BDEW: 3,500 kWh).
# Everything else about the kinds is an assumption.
KINDS = tuple(
    KindEntry(
        name=name,
        share=share,
        profiles=profiles,
        annual_kwh=annual_kwh,
        preferred_from=time(preferred[0]),
        preferred_until=time(preferred[1]),
        arrival=time(stay[0]),
        departure=time(stay[1]),
    )
    for name, share, profiles, annual_kwh, preferred, stay in (
        ("household", 0.86, ("H0-A", "H0-B", "H0-C", "H0-G", "H0-L"), 3500, (17, 21), (17, 0)),
        ("shop", 0.04, ("G4-A", "G4-B"), 15000, (8, 19), (8, 18)),
        ("office", 0.04, ("G1-A", "G1-B", "G1-C"), 12000, (9, 15), (8, 17)),
        ("workshop", 0.03, ("G0-A", "G3-A"), 20000, (8, 16), (7, 16)),
        ("farm", 0.03, ("L0-A", "L1-A", "L2-A"), 20000, (5, 8), (19, 0)),
    )
)


class PopulationEntry(Entry):
    """Buildings drawn at random from distributions over the built-in profiles.

    The same seed gives the same buildings, byte for byte; building 17 is the same in a population
    of 100 and of 100,000. What has a median and a spread is drawn log-normally, three standard
    deviations at most from the median. A connection covers what a building cannot put off, so
    that every one of them is feasible.
    """

    count: int = Field(ge=1, le=LARGEST_COUNT, strict=True, description="number of buildings")
    seed: int = Field(1, ge=0, lt=2**63, strict=True, description="seed of the draw")
    community: Name = Field("community", description="the community they belong to")
    bargaining_weight: Positive = Field(1.0, description="weight a of each in bargaining")
    buses: tuple[Annotated[int, Field(strict=True)], ...] | None = Field(
        None,
        min_length=1,
        description="buses of the feeder to spread them over evenly; by default all but the root",
    )
    kinds: tuple[KindEntry, ...] = Field(KINDS, min_length=1, description="kinds of building")
    power_factor: Efficiency = Field(0.95, description="of the inelastic load, lagging")
    connection_kw: Positive = Field(
        15.0, description="connection of a building, more where its devices need it [kW]"
    )
    # PV of twice the textbook 1 kW per MWh, for the built-in profiles yield two thirds of what is
    # usual; the battery by the rule of 1 kWh per kW of PV (Weniger, Tjaden and Quaschning 2014,
    # doi 10.1016/j.egypro.2014.01.160).
    pv_share: Fraction = Field(0.4, description="share of buildings with a PV plant")
    pv_kwp_per_mwh: Positive = Field(
        1.5, description="median of the PV rating per annual consumption [kWp/MWh]"
    )
    battery_share: Fraction = Field(0.6, description="share of PV plants with a battery")
    battery_kwh_per_kwp: Positive = Field(
        1.0, description="median of the battery's capacity per rating of the PV plant [kWh/kWp]"
    )
    battery_hours: Annotated[float, Field(ge=0.1, le=100, strict=True)] = Field(
        2.0, description="time a battery takes for its capacity at full power [h]"
    )
    # About 12,500 km a year (German mean) at 0.2 kWh/km.
    vehicle_share: Fraction = Field(0.25, description="share of buildings with an electric vehicle")
    vehicle_kwh: Positive = Field(55.0, description="median of a vehicle's capacity [kWh]")
    vehicle_need_kwh: Positive = Field(
        7.0, description="median of what a vehicle charges in a stay [kWh]"
    )
    vehicle_powers_kw: tuple[Positive, ...] = Field(
        (3.7, 7.4, 11.0), min_length=1, description="charging powers, equally frequent [kW]"
    )
    shiftable_share: Fraction = Field(0.5, description="share of buildings with a shiftable load")
    shiftable_fraction: Annotated[float, Field(gt=0, le=0.5, strict=True)] = Field(
        0.2, description="median of the part of its consumption that can shift; at most 0.5"
    )
    shiftable_headroom: Annotated[float, Field(ge=1.1, le=100, strict=True)] = Field(
        3.0, description="median of its largest power, relative to that at the preferred time"
    )
    shiftable_slack_hours: Hours = Field(
        3.0, description="mean time by which it may come earlier, and later [h]"
    )
    time_spread_hours: Hours = Field(
        1.5, description="largest deviation from the times of the kind [h]"
    )
    size_spread: Spread = Field(0.35, description=f"of the sizes of devices: {SPREAD}")
    charge_efficiency: Efficiency = Field(0.95, description="stored per charged energy")
    discharge_efficiency: Efficiency = Field(0.95, description="delivered per taken energy")
    # An assumption: 500 per kWh of capacity over 6,000 cycles come to about 0.04 for each kWh
    # charged or discharged; full power ages a cell most.
    wear_per_kwh: NotNegative = Field(
        0.01, description="median cost of each kWh charged or discharged [currency/kWh]"
    )
    full_power_wear_per_kwh: NotNegative = Field(
        0.04, description="median extra wear at full power, falling linearly [currency/kWh]"
    )
    discomfort_per_kwh: Positive = Field(
        0.02, description="median cost of a kWh away from its time, at full power [currency/kWh]"
    )
    cost_spread: Spread = Field(0.4, description=f"of wear and discomfort: {SPREAD}")

    @model_validator(mode="after")
    def _different(self) -> Self:
        for what, given in (
            ("kinds", [kind.name for kind in self.kinds]),
            ("buses", list(self.buses or ())),
        ):
            twice = [one for place, one in enumerate(given) if one in given[:place]]
            if twice:
                raise ValueError(f"{what}: {twice[0]!r} stands there more than once")
        return self

    def may_draw(self, name: str) -> bool:
        """Whether a building of this population could have the name."""
        parts = re.fullmatch(rf"(.+) ([0-9]{{{DIGITS}}})", name)
        return (
            parts is not None
            and parts[1] in {kind.name for kind in self.kinds}
            and 1 <= int(parts[2]) <= self.count
        )
