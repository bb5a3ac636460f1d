"""The Django application."""

from __future__ import annotations

from django.apps import AppConfig
from django.core import checks

from rmz_async.integrations.django.configuration import check_receiver

__all__ = ("RMZConfig",)


class RMZConfig(AppConfig):
    """RMZ's deliveries in a Django project; it has no models."""

    name = "rmz_async.integrations.django"
    label = "rmz"

    def ready(self) -> None:
        """Register the system check."""
        checks.register(check_receiver)
