"""The calls of the API, one module per resource; none of them knows HTTP."""
