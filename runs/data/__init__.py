"""Built-in profiles, with their licence."""
