"""A deployed endpoint, tried from outside: what must answer does, what must refuse refuses."""
