"""Who answers for the losses: rules that share them among the buses, and sum to them exactly."""
