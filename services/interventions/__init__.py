"""Interventions: reads scores, decides for everyone in session, orders practices."""
