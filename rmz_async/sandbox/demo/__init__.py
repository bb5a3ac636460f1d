"""A subscription from its trial to its end, without leaving this machine.

Run it with ``python -m rmz_async.sandbox.demo``; it needs the extra ``sandbox``. The demo starts a
sandbox and a receiver of webhooks on free loopback ports, does what a shop's own server and its
customer would do, and moves the clock. Each line is read from the API, from a page or from a
webhook, and the demonstration fails if one of them is not as it should be.
"""
