"""Trials that a service of many machines must pass: real processes, killed, frozen, cut off and overloaded.

`bench/chaos.py` runs them at full size, tests/acceptance/test_chaos.py in small.
"""
