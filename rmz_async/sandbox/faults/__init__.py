"""Faults, by rule and by chance."""
