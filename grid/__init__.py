"""The wires: feeders, power flow, optimal power flow and locational prices."""
