"""Every message in every language."""
