"""Who is calling, and which session is theirs?"""
