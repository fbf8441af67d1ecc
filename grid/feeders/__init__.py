"""Published feeders as tables, with their sources."""
