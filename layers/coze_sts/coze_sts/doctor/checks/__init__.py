"""One module for each thing that is looked at; each says what it found, and raises nothing."""
