"""Is a token already there?"""
