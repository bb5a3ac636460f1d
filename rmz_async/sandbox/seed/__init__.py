"""The store that a sandbox starts with."""
