"""What a package and a request may cost, held by figures that are the same at every run."""
