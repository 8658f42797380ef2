"""A day of a large site in simulated time: `make simulate-day`."""
