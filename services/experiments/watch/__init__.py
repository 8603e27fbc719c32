"""A running population on a page: worlds, focus, contagion, interventions, without a broker.

The population lives in a thread of its own and is looked at twice a second at most, between two of its minutes; the
page asks for what is new. Looking costs the population about a millisecond each time, however fast it runs.
"""
