"""RMZ in Django: a view for deliveries, a system check, and ``manage.py rmz_worker``.

Add ``"rmz_async.integrations.django"`` to ``INSTALLED_APPS``, name your receiver in
``RMZ_RECEIVER = "shop.webhooks.receiver"``, and include ``"rmz_async.integrations.django.urls"``.
"""

from __future__ import annotations

from importlib import import_module

from rmz_async._extras import extra

__all__: tuple[str, ...] = ()

# Python imports a package before its modules: without Django, each of them raises this error.
with extra("django", needed_by="rmz_async.integrations.django"):
    import_module("django")
