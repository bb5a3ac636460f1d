"""The calls of the API, one module for each resource: generated from ``rmz_async.resources``."""
