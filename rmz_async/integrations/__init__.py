"""RMZ in a web framework: one public module for each, and an extra of the same name.

The ``requires`` of each framework lets subscribers in. All others get 402 with the reason, as JSON
in the language that they asked for; a browser is sent to the offer. If the paywall cannot say, the
status is 503 with ``Retry-After``. A visitor who is not signed in gets 401.
"""
