"""The device entries of a scenario file, each checked by itself."""

import re
from datetime import time
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

# Numbers are strict: text or true/false in their place is an error, not a 10 or a 1.
# A million is beyond any community, in kW, kWh or money; the solvers need some bound.
Fraction = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False, strict=True)]
Efficiency = Annotated[float, Field(gt=0, le=1, allow_inf_nan=False, strict=True)]
Positive = Annotated[float, Field(gt=0, le=1e6, allow_inf_nan=False, strict=True)]
NotNegative = Annotated[float, Field(ge=0, le=1e6, allow_inf_nan=False, strict=True)]
Finite = Annotated[float, Field(ge=-1e6, le=1e6, allow_inf_nan=False, strict=True)]
Probability = Annotated[float, Field(ge=0, lt=0.9, strict=True)]


def _local(clock: time) -> time:
    if clock.tzinfo is not None:
        raise ValueError("must be local standard time, without a UTC offset")
    return clock


TimeOfDay = Annotated[time, AfterValidator(_local)]


def _spelt(name: str) -> str:
    wrong = re.search(r"[^\w .\-+&()]", name)
    if wrong:
        raise ValueError(
            f"{wrong[0]!r} cannot stand in a name; letters, digits, spaces and . - + & ( ) _ can"
        )
    return name


Name = Annotated[str, Field(min_length=1, max_length=80), AfterValidator(_spelt)]


class Entry(BaseModel):
    """A part of a scenario: unknown fields are errors, nothing changes after reading."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Source(Entry):
    """Where a time series comes from: a built-in profile, a column of a file, or plain values."""

    profile: str | None = Field(None, description="built-in profile, per unit of its peak")
    file: Path | None = Field(None, description="CSV or Parquet file with a time column")
    column: str | None = Field(None, description="column of the file; ends in its unit")
    values: tuple[Finite, ...] | None = Field(None, description="one value per slot")
    unit: Literal["kw", "pu", "kw_per_m2", "m_per_s"] | None = Field(
        None, description="unit of the values: kW, per unit, kW/m2 or m/s"
    )

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        given = [n for n in ("profile", "file", "values") if getattr(self, n) is not None]
        if len(given) != 1:
            raise ValueError(
                f"exactly one of 'profile', 'file' and 'values' must be given, not "
                f"{', '.join(given) or 'none'}"
            )
        if (self.file is None) != (self.column is None):
            raise ValueError("'file' and 'column' go together")
        if (self.values is None) != (self.unit is None):
            raise ValueError("'values' and 'unit' go together")
        return self


class LoadEntry(Source):
    """Inelastic load."""

    peak_kw: Positive | None = Field(
        None, description="peak of the load [kW]; needed for profiles per unit"
    )


class PhotovoltaicEntry(Source):
    """A PV plant: rating x profile per unit, or rating x irradiance."""

    rating_kw: Positive = Field(description="rated power [kW]")


class WindEntry(Source):
    """A wind turbine: rating x profile per unit, or its power curve over wind speed."""

    rating_kw: Positive = Field(description="rated power [kW]")
    cut_in_m_per_s: Positive = Field(3.0, description="wind speed where it starts [m/s]")
    rated_m_per_s: Positive = Field(12.0, description="wind speed of rated power [m/s]")
    cut_out_m_per_s: Positive = Field(25.0, description="wind speed where it stops [m/s]")

    @model_validator(mode="after")
    def _rising(self) -> Self:
        if not self.cut_in_m_per_s < self.rated_m_per_s < self.cut_out_m_per_s:
            raise ValueError(
                "wind speeds must rise from cut_in_m_per_s over rated_m_per_s to cut_out_m_per_s, "
                f"not {self.cut_in_m_per_s}, {self.rated_m_per_s}, {self.cut_out_m_per_s} m/s"
            )
        return self


class BatteryEntry(Entry):
    """A battery."""

    capacity_kwh: Positive = Field(description="energy when full [kWh]")
    power_kw: Positive = Field(description="largest charging and discharging power [kW]")
    minimum_soc: Fraction = Field(0.1, description="least state of charge [per unit]")
    maximum_soc: Fraction = Field(0.9, description="highest state of charge [per unit]")
    initial_soc: Fraction = Field(0.5, description="state of charge at the start [per unit]")
    final_soc: Fraction | None = Field(
        None, description="state of charge at the end [per unit]; by default that at the start"
    )
    charge_efficiency: Efficiency = Field(0.95, description="stored per charged energy")
    discharge_efficiency: Efficiency = Field(0.95, description="delivered per taken energy")
    wear_per_kwh: NotNegative = Field(
        0.01, description="cost of each kWh charged or discharged [currency/kWh]"
    )
    full_power_wear_per_kwh: NotNegative = Field(
        0.01, description="extra wear per kWh at full power, falling linearly [currency/kWh]"
    )

    rents_to: Literal["community"] | None = Field(
        None, description="who may rent capacity: the buildings of its community; by default nobody"
    )

    @model_validator(mode="after")
    def _within_limits(self) -> Self:
        for name in ("initial_soc", "final_soc"):
            value = getattr(self, name)
            if value is not None and not self.minimum_soc <= value <= self.maximum_soc:
                raise ValueError(
                    f"{name} = {value} must lie between minimum_soc = {self.minimum_soc} and "
                    f"maximum_soc = {self.maximum_soc}"
                )
        return self


class VehicleEntry(BatteryEntry):
    """An electric vehicle: a battery that is there for one stay, and leaves charged.

    It uses the slots that lie wholly within the first stay of the horizon.
    """

    initial_soc: Fraction = Field(0.4, description="state of charge on arrival [per unit]")
    final_soc: Fraction = Field(0.8, description="least state of charge at departure [per unit]")
    rents_to: None = Field(None, description="a vehicle's capacity is not for rent")
    arrival: TimeOfDay = Field(description="start of the stay, time of day")
    departure: TimeOfDay = Field(description="end of the stay, time of day, after the arrival")

    @model_validator(mode="after")
    def _stays(self) -> Self:
        if self.arrival >= self.departure:
            raise ValueError(
                f"arrival = {self.arrival} must come before departure = {self.departure}"
            )
        return self


class ShiftableEntry(Entry):
    """Load that has to be served some time within a window of the day."""

    energy_kwh: Positive = Field(description="energy over the horizon [kWh]")
    limit_kw: Positive = Field(description="largest power [kW]")
    earliest: TimeOfDay = Field(time(0, 0), description="start of the window, time of day")
    latest: TimeOfDay = Field(time(0, 0), description="end of the window; 00:00 means midnight")
    preferred_from: TimeOfDay = Field(time(0, 0), description="start of the preferred time")
    preferred_until: TimeOfDay = Field(time(0, 0), description="end of the preferred time")
    discomfort_per_kwh: Positive = Field(
        0.02, description="cost of each kWh away from its time, at full power [currency/kWh]"
    )
