"""Calls as data: what is asked for, what came of it, what to do next. No I/O."""
