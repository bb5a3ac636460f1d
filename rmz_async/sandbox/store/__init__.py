"""The sandbox's memory: plain data."""
