"""Secrets planted in every way in, so that wherever one comes out it is found."""
