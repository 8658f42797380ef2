"""From the configuration to Coze: what is well, and what is wrong with its cure."""
