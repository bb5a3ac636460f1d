"""Deliveries and access in Django, all in one file; ``export DJANGO_SETTINGS_MODULE=django_app``.

The server is ``uvicorn --factory django.core.asgi:get_asgi_application``, and the handlers run in
``python -m django rmz_worker``.
"""

import os

from django.core.cache import cache
from django.http import HttpRequest, HttpResponse
from django.urls import include, path

import rmz_async
from rmz_async import webhooks

INSTALLED_APPS = ["rmz_async.integrations.django"]
RMZ_RECEIVER = "django_app.receiver"
ROOT_URLCONF = "django_app"
ALLOWED_HOSTS = ["127.0.0.1"]
FILES = "django.core.cache.backends.filebased.FileBasedCache"
CACHES = {"default": {"BACKEND": FILES, "LOCATION": "members"}}  # your database

rmz = rmz_async.Client()
receiver = webhooks.Receiver(secrets=[os.environ["RMZ_WEBHOOK_SECRET"]], inbox="sqlite:///inbox.db")


@receiver.on("subscription.*", coalesce=True)
async def keep_access(event: webhooks.SubscriptionEvent) -> None:
    # An event may be late, so the present state decides.
    found = await rmz.subscriptions.get(event.subscription.id)
    await cache.aset(f"{found.external_customer_id}", found.grants_access, None)


async def premium(request: HttpRequest, user: str) -> HttpResponse:
    granted = await cache.aget(user)
    return HttpResponse("the premium page", status=200 if granted else 402)


rmz_urls = include("rmz_async.integrations.django.urls")
urlpatterns = [path("", rmz_urls), path("premium/<user>", premium)]
