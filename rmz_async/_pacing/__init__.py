"""Slots within RMZ's requests a minute."""
