"""Real processes that ask for tokens at once, and what may happen to them meanwhile.

``python -m tests.herd`` measures a herd; ``tests/test_processes.py`` kills and freezes holders.
"""
