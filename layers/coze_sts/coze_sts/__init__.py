"""Coze STS: a token for each visitor's own Coze session, and for no other."""
