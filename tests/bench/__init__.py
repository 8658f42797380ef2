"""What a cold start, a request and a million of them cost: `make bench`."""
