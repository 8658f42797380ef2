"""Two hundred users at once, on many instances of the functions, while everything around fails.

``python -m tests.crowd`` asks every route, and has Coze's stand-in say of each token that was
answered whose session it opens. ``tests/test_crowd.py`` does so with fewer, and shows that a wrong
token would be seen.
"""
