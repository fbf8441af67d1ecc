"""A scenario: everything a run needs to know, as read from a TOML file."""

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, NaiveDatetime, model_validator

from nashgrid.market.level_fees import LevelFees
from nashgrid.runs.population_entry import PopulationEntry
from nashgrid.runs.scenario_devices import (
    BatteryEntry,
    Efficiency,
    Entry,
    Finite,
    LoadEntry,
    Name,
    NotNegative,
    PhotovoltaicEntry,
    Positive,
    Probability,
    ShiftableEntry,
    TimeOfDay,
    VehicleEntry,
    WindEntry,
)
from nashgrid.runs.scenario_feeder import FeederEntry

# What a large population exchanges with the utility: a large country's peak is 1e9 kW.
LargePower = Annotated[float, Field(gt=0, le=1e9, allow_inf_nan=False, strict=True)]
# Who delivers, and what that is called as a kind: no agent may take these names.
UTILITY, OPERATOR = RESERVED = "utility", "operator"
MANAGER = "community manager"
"""What those are called as a kind who pass on what the members of a community leave over."""


def manager_name(community: str) -> str:
    """What the manager of a community is called."""
    return f"manager of {community}"


class HorizonEntry(Entry):
    """The slots of the day."""

    start: NaiveDatetime = Field(description="start of the first slot, local standard time")
    slots: int = Field(24, ge=1, le=3000, strict=True, description="number of slots")
    slot_minutes: int = Field(60, ge=1, le=1440, strict=True, description="length of a slot [min]")
    time_zone: str | None = Field(
        None, description="where profile files carry a UTC offset: the local zone, Europe/Berlin"
    )

    @property
    def slot_hours(self) -> float:
        """Length of a slot [h]."""
        return self.slot_minutes / 60


class TariffPeriod(Entry):
    """Prices of the utility from a time of day on, until the next period begins."""

    start: TimeOfDay = Field(description="time of day from which the prices hold")
    retail_price_per_kwh: Finite = Field(description="the utility sells at this [currency/kWh]")
    feed_in_price_per_kwh: Finite = Field(
        description="the utility buys at this; at most the retail price [currency/kWh]"
    )

    @model_validator(mode="after")
    def _no_arbitrage(self) -> Self:
        if self.feed_in_price_per_kwh > self.retail_price_per_kwh:
            raise ValueError(
                f"feed_in_price_per_kwh = {self.feed_in_price_per_kwh} must be at most "
                f"retail_price_per_kwh = {self.retail_price_per_kwh} currency/kWh: otherwise "
                "buying to sell back would earn without end"
            )
        return self


class UtilityEntry(Entry):
    """The utility upstream."""

    exchange_limit_kw: LargePower = Field(
        description="largest power between community and utility, either way [kW]"
    )
    tariff: tuple[TariffPeriod, ...] = Field(min_length=1, description="prices over the day")

    @model_validator(mode="after")
    def _periods(self) -> Self:
        starts = [period.start for period in self.tariff]
        if starts != sorted(set(starts)):
            raise ValueError("the tariff periods must have different starts, in rising order")
        return self


class AgentEntry(Entry):
    """What every agent with a connection has."""

    name: Name = Field(description="unique name")
    community: Name = Field("community", description="the community it belongs to")
    bus: int | None = Field(
        None, strict=True, description="bus of the feeder; none without a feeder"
    )
    bargaining_weight: Positive = Field(1.0, description="its weight a in bargaining")
    price_slope_factor: Positive = Field(
        1.0, description="how steeply its price rises with the community's power, in market cournot"
    )
    anticipates: bool = Field(
        True,
        strict=True,
        description="whether it knows what its power does to the price, in markets cournot and "
        "energy-sharing",
    )

    @property
    def for_rent(self) -> tuple[str, ...]:
        """Names of its batteries whose capacity is for rent."""
        return ()


class BuildingEntry(AgentEntry):
    """A building: loads, and whatever else it owns."""

    kind: Name = Field("building", description="kind of building, for grouping results")
    connection_kw: Positive = Field(description="largest power of its connection [kW]")
    power_factor: Efficiency = Field(0.95, description="of its inelastic load, lagging")
    loads: tuple[LoadEntry, ...] = Field((), description="inelastic loads")
    pv: tuple[PhotovoltaicEntry, ...] = Field((), description="PV plants")
    wind: tuple[WindEntry, ...] = Field((), description="wind turbines")
    batteries: tuple[BatteryEntry, ...] = Field((), description="batteries")
    shiftable_loads: tuple[ShiftableEntry, ...] = Field((), description="shiftable loads")
    vehicles: tuple[VehicleEntry, ...] = Field((), description="electric vehicles")

    @property
    def for_rent(self) -> tuple[str, ...]:
        """Names of its batteries whose capacity is for rent."""
        numbered = enumerate(self.batteries, start=1)
        return tuple(f"battery {number}" for number, one in numbered if one.rents_to)

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.kind in RESERVED:
            raise ValueError(f"{self.name}: kind = {self.kind!r} is the kind of who delivers")
        devices = (self.loads, self.pv, self.wind, self.batteries, self.shiftable_loads)
        if not any(devices) and not self.vehicles:
            raise ValueError(f"{self.name}: a building needs at least one device")
        for battery in (*self.batteries, *self.vehicles):
            if battery.power_kw > self.connection_kw:
                raise ValueError(
                    f"{self.name}: battery power_kw = {battery.power_kw} kW must be at most "
                    f"connection_kw = {self.connection_kw} kW"
                )
        return self


class CommunityBatteryEntry(AgentEntry, BatteryEntry):
    """A battery of a community, trading on its own account."""

    @property
    def for_rent(self) -> tuple[str, ...]:
        """Names of its batteries whose capacity is for rent."""
        return ("battery",) if self.rents_to else ()


class GeneratorEntry(AgentEntry):
    """A distributed generator with cost (a g^2 + b g) dt."""

    maximum_kw: Positive = Field(description="largest output [kW]")
    minimum_kw: NotNegative = Field(0.0, description="least output [kW]")
    linear_cost_per_kwh: Finite = Field(description="b [currency/kWh]")
    quadratic_cost_per_kw2h: Positive = Field(description="a [currency/kW2h]")
    ramp_kw_per_hour: Positive | None = Field(None, description="largest change [kW/h]")

    @model_validator(mode="after")
    def _range(self) -> Self:
        if self.minimum_kw > self.maximum_kw:
            raise ValueError(
                f"{self.name}: minimum_kw = {self.minimum_kw} kW must be at most maximum_kw = "
                f"{self.maximum_kw} kW"
            )
        return self


class NegotiationEntry(Entry):
    """How the agents negotiate."""

    tolerance: Annotated[float, Field(gt=0, le=0.1, strict=True)] = Field(
        1e-4, description="bound on the relative primal and dual residuals"
    )
    maximum_rounds: int = Field(1000, ge=1, strict=True, description="give up after so many rounds")
    step: Positive = Field(
        0.75, description="opening price step as a multiple of the mean retail price"
    )
    over_relaxation: Annotated[float, Field(gt=0, lt=2, strict=True)] = Field(
        1.6, description="how far offers go beyond the answers"
    )
    memory: int = Field(
        15, ge=1, le=30, strict=True, description="rounds kept for the acceleration"
    )


class LinkEntry(Entry):
    """The link between one agent and the coordinators, where it differs from the others."""

    agent: str = Field(description="name of the agent")
    latency_s: NotNegative | None = Field(None, description="least delay of a message [s]")
    jitter_s: NotNegative | None = Field(None, description="mean random delay on top [s]")
    loss: Probability | None = Field(None, description="probability that a transmission is lost")


class MessagesEntry(Entry):
    """The message network."""

    latency_s: NotNegative = Field(0.02, description="least delay of a message [s]")
    jitter_s: NotNegative = Field(0.0, description="mean random delay on top [s]")
    loss: Probability = Field(0.0, description="probability that a transmission is lost")
    links: tuple[LinkEntry, ...] = Field((), description="links that differ from the others")


class BargainingEntry(Entry):
    """Who shares the savings."""

    operator_weight: NotNegative = Field(
        0.0, description="weight of the system operator; 0: it comes out even"
    )


class InfluenceEntry(Entry):
    """What agents do to prices, in the markets where they know it."""

    full_price_power_kw: LargePower | None = Field(
        None,
        description="market cournot: import at which its price reaches retail, and export at which "
        "it falls to feed-in; by default the exchange limit [kW]",
    )
    bid_slope_kw2h_per_currency: Positive | None = Field(
        None,
        description="market energy-sharing: fall of a bid with the price, alpha; by default mean "
        "size over mean retail price [kW2h/currency]",
    )


class LeaderEntry(Entry):
    """What a leader is about, in market stackelberg."""

    required: Positive | None = Field(
        None,
        description="what the leader has to earn over the day with the least charge; by default as "
        "much as it can [currency]",
    )


class PrivacyEntry(Entry):
    """What who delivers may learn of a single participant."""

    single_participant_buses: Literal["allow", "merge", "refuse"] = Field(
        "allow",
        description="a bus with one participant, whose sum is that one's power: 'allow' it, "
        "'merge' it with the nearest bus for reporting, or 'refuse' the scenario",
    )


class CommunitiesEntry(Entry):
    """Communities to form when a run begins, in place of those that the agents state."""

    count: int = Field(ge=1, strict=True, description="number of communities")
    by: Literal["complementary", "random", "bus"] = Field(
        "complementary",
        description="who belongs together: profiles that complement each other, anybody at "
        "random, or neighbours in bus number",
    )
    seed: int = Field(1, ge=0, lt=2**63, strict=True, description="seed of random communities")


class LevelsEntry(Entry):
    """Communities with managers: members trade inside, managers with each other and the rest.

    Each side of a trade pays a fee for every kWh by its level. Fees must not fall from level to
    level.
    """

    inside_fee_per_kwh: NotNegative = Field(
        0.0, description="fee of a trade between members of a community [currency/kWh]"
    )
    between_fee_per_kwh: NotNegative = Field(
        0.0, description="fee of a trade between communities [currency/kWh]"
    )
    rest_fee_per_kwh: NotNegative = Field(
        0.0,
        description="fee of a trade with generators, community batteries and the utility, also "
        "where everybody deals with the utility alone [currency/kWh]",
    )

    @property
    def fees(self) -> LevelFees:
        """All three."""
        return LevelFees(self.inside_fee_per_kwh, self.between_fee_per_kwh, self.rest_fee_per_kwh)

    @model_validator(mode="after")
    def _rising(self) -> Self:
        _ = self.fees
        return self


class Scenario(Entry):
    """A community, its wires, its tariff and its day."""

    name: Name = Field(description="name of the scenario")
    description: str = Field("", description="what it shows")
    currency: Literal["EUR", "USD", "GBP", "CHF", "CNY", "AUD", "INR", "JPY"] = Field(
        "EUR", description="currency of all money"
    )
    unserved_load_price_per_kwh: Positive | None = Field(
        None,
        description="load may go unserved at this price [currency/kWh]; by default it may not",
    )
    horizon: HorizonEntry = Field(description="the slots of the day")
    utility: UtilityEntry = Field(description="the utility upstream")
    feeder: FeederEntry | None = Field(None, description="the wires; by default none")
    negotiation: NegotiationEntry = Field(NegotiationEntry(), description="how agents negotiate")
    messages: MessagesEntry = Field(MessagesEntry(), description="the message network")
    bargaining: BargainingEntry = Field(BargainingEntry(), description="who shares the savings")
    influence: InfluenceEntry = Field(InfluenceEntry(), description="what agents do to prices")
    leader: LeaderEntry | None = Field(
        None, description="what a leader is about; by default to earn as much as it can"
    )
    privacy: PrivacyEntry = Field(PrivacyEntry(), description="what a sum may give away")
    communities: CommunitiesEntry | None = Field(
        None, description="communities to form; by default those that the agents state"
    )
    levels: LevelsEntry | None = Field(
        None, description="communities with managers; by default one market for all"
    )
    buildings: tuple[BuildingEntry, ...] = Field((), description="buildings")
    community_batteries: tuple[CommunityBatteryEntry, ...] = Field(
        (), description="batteries of communities"
    )
    generators: tuple[GeneratorEntry, ...] = Field((), description="distributed generators")
    population: PopulationEntry | None = Field(None, description="buildings drawn at random")
    folder: Path = Field(Path(), exclude=True, description="where relative files are looked for")

    @property
    def agents(self) -> tuple[AgentEntry, ...]:
        """All entries with a connection, in the order of the file."""
        return (*self.buildings, *self.community_batteries, *self.generators)

    @model_validator(mode="after")
    def _agents_fit(self) -> Self:
        if not self.agents and self.population is None:
            raise ValueError(
                "a scenario needs at least one building, battery or generator, or a population"
            )
        names = Counter(agent.name for agent in self.agents)
        for taken in RESERVED:
            if taken in names:
                raise ValueError(f"no agent may be named {taken!r}: that is who delivers")
        twice = [name for name, count in names.items() if count > 1]
        if twice:
            raise ValueError(f"agent names must be unique: {twice[0]!r} stands {names[twice[0]]}x")
        for link in self.messages.links:
            if link.agent not in names:
                raise ValueError(f"messages: links: there is no agent {link.agent!r}")
        if self.feeder is None and self.bargaining.operator_weight > 0:
            raise ValueError(
                f"bargaining: operator_weight = {self.bargaining.operator_weight} must be 0 "
                "without a feeder: there is no system operator, and the utility is not a player"
            )
        for agent in self.agents:
            if (agent.bus is None) != (self.feeder is None):
                raise ValueError(f"{agent.name}: 'bus' is needed with a feeder, and only with one")
        if self.communities is not None:
            self._communities_fit(self.communities)
        if self.population is not None:
            self._population_fits(self.population)
        if self.levels is not None:
            self._levels_fit(names)
        self._rentals_fit()
        return self

    def _rentals_fit(self) -> None:
        letting = [entry for entry in self.agents for _ in entry.for_rent]
        if letting and self.population is not None:
            raise ValueError(
                f"{letting[0].name}: rents_to: tenants are stated agents, not a population"
            )
        for community, count in Counter(entry.community for entry in letting).items():
            if count > 1:
                raise ValueError(
                    f"rents_to: community {community!r} has {count} batteries for rent, and may "
                    "have one"
                )
        for owner in letting:
            others = [entry.community for entry in self.buildings if entry.name != owner.name]
            if owner.community not in others:
                raise ValueError(
                    f"{owner.name}: rents_to: there is no other building in community "
                    f"{owner.community!r}"
                )

    def _levels_fit(self, names: Mapping[str, int]) -> None:
        if self.population is not None:
            raise ValueError("levels: the members of communities are stated, not a population")
        if not self.buildings:
            raise ValueError("levels: communities are of buildings, and there are none")
        for building in self.buildings:
            manager = manager_name(building.community)
            if manager in names:
                raise ValueError(f"no agent may be named {manager!r}: that is who manages")

    def _communities_fit(self, communities: CommunitiesEntry) -> None:
        if self.population is not None:
            raise ValueError("communities: they are formed of stated agents, not of a population")
        if communities.count > len(self.agents):
            raise ValueError(
                f"communities: count = {communities.count} must be at most the number of agents, "
                f"{len(self.agents)}"
            )
        if communities.by == "bus" and self.feeder is None:
            raise ValueError("communities: by = 'bus' needs a feeder")

    def _population_fits(self, population: PopulationEntry) -> None:
        for kind in population.kinds:
            if kind.name in RESERVED:
                raise ValueError(
                    f"population: kinds {kind.name!r}: name = {kind.name!r} is the kind of who "
                    "delivers"
                )
        for agent in self.agents:
            if population.may_draw(agent.name):
                raise ValueError(
                    f"{agent.name}: a building of the population has this name; choose another"
                )
        if population.buses is not None and self.feeder is None:
            raise ValueError("population: buses: they are given with a feeder only")
        if self.unserved_load_price_per_kwh is not None:
            raise ValueError(
                f"unserved_load_price_per_kwh = {self.unserved_load_price_per_kwh}: the load of a "
                "population is always served; leave it out"
            )
