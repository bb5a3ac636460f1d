"""The URL for RMZ's deliveries: ``path("", include("rmz_async.integrations.django.urls"))``."""

from __future__ import annotations

from django.urls import URLPattern, path

from rmz_async.integrations._bodies import PATH
from rmz_async.integrations.django.views import webhook_of_settings

__all__ = ("urlpatterns",)

urlpatterns: list[URLPattern] = [
    path(PATH.removeprefix("/"), webhook_of_settings(), name="rmz-webhook")
]
