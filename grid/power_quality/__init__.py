"""Quality of supply: how far voltages are from what they should be, in size and in shape."""
