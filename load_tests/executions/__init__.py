"""Running a load: a sender and a receiver, each a process of its own, and what they log.

Two processes, because a sender that shares an interpreter with a receiver delays it, and would measure itself.
"""
