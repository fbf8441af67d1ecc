"""Entries of a scenario for its wires: the feeder, its limits, and what its operator is about."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from nashgrid.runs.scenario_devices import Entry, NotNegative, Positive

USUAL_WEIGHT = 10.0
"""What the operator's objectives count beside money, where a scenario does not say."""


class LineLimit(Entry):
    """A limit on one line, in place of the feeder's own."""

    from_bus: int = Field(strict=True, description="bus at one end")
    to_bus: int = Field(strict=True, description="bus at the other end")
    limit_kva: Positive = Field(description="largest apparent power [kVA]")


class FeederEntry(Entry):
    """The wires and their limits."""

    name: str = Field(description="built-in feeder, or folder of a feeder")
    minimum_voltage_pu: Positive = Field(0.95, description="lowest voltage at any bus [pu]")
    maximum_voltage_pu: Positive = Field(1.05, description="highest voltage at any bus [pu]")
    root_voltage_pu: Positive = Field(1.0, description="voltage at the root [pu]")
    line_limits: tuple[LineLimit, ...] = Field((), description="limits of single lines")
    model: Literal["lindistflow", "branch flow"] = Field(
        "lindistflow",
        description="how the operator sees the flows: linear, or with losses as a cone program",
    )
    objective: Literal["cost", "losses", "voltage", "weighted"] = Field(
        "cost",
        description="what the operator minimises: money, or beside it losses, deviations of "
        "voltage, or both",
    )
    loss_weight: NotNegative | None = Field(
        None, description="kWh that a lost one counts for beside its price; by default 10"
    )
    voltage_weight: NotNegative | None = Field(
        None,
        description="kWh that an hour counts for in which one bus is off by 1 %, growing with the "
        "square; by default 10",
    )

    inverter_kva_per_kw: Annotated[Positive, Field(gt=1)] | None = Field(
        None,
        description="rating of the inverters of PV, wind and generators that the scenario names, "
        "per kW that they can give [kVA/kW]; beside full power they still take or give "
        "sqrt(k^2 - 1) kvar per kW, as the operator sets them; without it, reactive power is fixed",
    )

    @property
    def reactive_kvar_per_kw(self) -> float:
        """What inverters take or give beside full active power; 0 where they are not set."""
        rating = self.inverter_kva_per_kw
        return 0.0 if rating is None else float((rating**2 - 1.0) ** 0.5)

    @property
    def weights(self) -> tuple[float, float]:
        """What losses [kWh/kWh] and deviations [kWh per hour and (1 %)^2] count beside money."""
        chosen = {"cost": (), "losses": (0,), "voltage": (1,), "weighted": (0, 1)}[self.objective]
        given = [USUAL_WEIGHT if w is None else w for w in (self.loss_weight, self.voltage_weight)]
        loss, voltage = (weight if at in chosen else 0.0 for at, weight in enumerate(given))
        return loss, voltage

    @model_validator(mode="after")
    def _weights_count(self) -> Self:
        for name, counting in (
            ("loss_weight", ("losses", "weighted")),
            ("voltage_weight", ("voltage", "weighted")),
        ):
            if getattr(self, name) is not None and self.objective not in counting:
                raise ValueError(
                    f"{name} = {getattr(self, name)} counts only with objective = "
                    f"{' or '.join(counting)}, which is {self.objective}"
                )
        return self

    @model_validator(mode="after")
    def _voltages(self) -> Self:
        if not self.minimum_voltage_pu <= self.root_voltage_pu <= self.maximum_voltage_pu:
            raise ValueError(
                f"root_voltage_pu = {self.root_voltage_pu} must lie between minimum_voltage_pu = "
                f"{self.minimum_voltage_pu} and maximum_voltage_pu = {self.maximum_voltage_pu} pu"
            )
        return self
