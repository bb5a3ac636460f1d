"""The names that RMZ writes in another way than Python does, by model and field."""

from __future__ import annotations

from collections.abc import Mapping

WIRE_NAMES: Mapping[str, Mapping[str, str]] = {
    "Customer": {"first_name": "firstName", "last_name": "lastName"},
    "NewCustomer": {"first_name": "firstName", "last_name": "lastName"},
    "ProductVariant": {"duration_text": "durationText"},
}
