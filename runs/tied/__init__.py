"""Two feeders with an operator each, and a tie between them."""
