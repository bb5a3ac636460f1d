"""Requests over connections: the only importers of httpx and aiohttp."""
