"""The changes that come due as time passes."""
