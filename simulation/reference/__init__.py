"""The same population the plain way: one Mesa agent a person, ordinary attributes, no compiled code."""

from simulation.reference.model import PlainMetaverse

__all__ = ["PlainMetaverse"]
