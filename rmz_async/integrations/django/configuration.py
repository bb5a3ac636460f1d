"""The receiver that the settings name, and the system check that looks at them."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.checks import Error
from django.core.exceptions import ImproperlyConfigured
from django.utils.module_loading import import_string

__all__ = ("check_receiver", "receiver_of_settings")

SETTING = "RMZ_RECEIVER"
_HINT = f'For example {SETTING} = "shop.webhooks.receiver", a Receiver of rmz_async or rmz_sync.'


def receiver_of_settings() -> Any:
    """Return the receiver that ``RMZ_RECEIVER`` names; of ``rmz_async`` or of ``rmz_sync``.

    Raises:
        ImproperlyConfigured: The setting is missing, or names no receiver.
    """
    path = getattr(settings, SETTING, None)
    if not isinstance(path, str):
        raise ImproperlyConfigured(f"{SETTING}: must be the dotted path of your receiver. {_HINT}")
    try:
        receiver = import_string(path)
    except ImportError as error:
        raise ImproperlyConfigured(f"{SETTING}: {error}. {_HINT}") from error
    if not callable(getattr(receiver, "receive", None)) or isinstance(receiver, type):
        raise ImproperlyConfigured(f"{SETTING}: {path} is no receiver. {_HINT}")
    return receiver


def check_receiver(**_: Any) -> list[Error]:
    """Look at the setting when Django starts, so that no delivery has to fail first."""
    try:
        receiver_of_settings()
    except ImproperlyConfigured as error:
        return [Error(str(error), id="rmz.E001")]
    return []
