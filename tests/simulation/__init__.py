"""A fleet of Lambdas, a table and Coze, all made up, under a clock that costs no time.

The decisions are the service's own: `coze_sts.cache.lease`, with its performer, its memory and
its keys. The wires, the table and Coze are simulated, and fail in every way that we could think
of. Every run is drawn from one seed, and that seed repeats it.
"""
