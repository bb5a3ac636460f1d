"""Objects as RMZ sends them."""
