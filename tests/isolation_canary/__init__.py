"""The isolation canary against the whole local stack: healthy, flawed, and failing."""
