"""nashgrid: a laboratory for peer-to-peer electricity trading among autonomous agents."""
