"""The report of a run: one self-contained page for people."""

from nashgrid.runs.report.page import write_report

__all__ = ["write_report"]
