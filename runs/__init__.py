"""What a user starts: scenarios, the model, the command line, reports."""
