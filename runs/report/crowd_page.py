"""The sections of a report of many buildings: sums, bands and samples instead of each one."""

from nashgrid.runs.outcome import Outcome
from nashgrid.runs.report.agent_figure import agent_section
from nashgrid.runs.report.balance_figure import balance_section
from nashgrid.runs.report.certificate_section import certificate_section
from nashgrid.runs.report.condensed import only_some, summed_up
from nashgrid.runs.report.convergence_figure import convergence_section
from nashgrid.runs.report.crowd import Crowd
from nashgrid.runs.report.crowd_savings import crowd_savings_section, samples
from nashgrid.runs.report.fan_figure import crowd_section
from nashgrid.runs.report.feeder_figure import feeder_section
from nashgrid.runs.report.figure import Section
from nashgrid.runs.report.price_figure import price_section
from nashgrid.runs.report.price_parts_figure import price_parts_section
from nashgrid.runs.report.reactive_figure import reactive_section


def crowd_sections(outcome: Outcome, crowd: Crowd) -> list[Section | None]:
    """The sections of an outcome with a population; stated agents beside it appear as such."""
    summed = summed_up(outcome, crowd)
    rows, why = samples(outcome, crowd)
    return [
        feeder_section(summed),
        price_section(summed),
        price_parts_section(summed),
        reactive_section(summed),
        balance_section(summed),
        crowd_section(outcome, crowd),
        agent_section(only_some(outcome, crowd, rows), why),
        crowd_savings_section(outcome, crowd),
        convergence_section(summed),
        certificate_section(summed),
    ]
