"""RMZ in Django: a view for deliveries, a system check, and ``manage.py rmz_worker``.

Add ``"rmz_async.integrations.django"`` to ``INSTALLED_APPS``, name your receiver in
``RMZ_RECEIVER = "shop.webhooks.receiver"``, and include ``"rmz_async.integrations.django.urls"``.
"""
