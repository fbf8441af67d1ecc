"""Who decides: the agents, their devices and their local problems."""
