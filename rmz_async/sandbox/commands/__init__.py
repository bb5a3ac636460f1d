"""The commands of ``python -m rmz_async.sandbox``."""
