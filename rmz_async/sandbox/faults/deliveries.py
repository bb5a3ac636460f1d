"""Spoil what a delivery says."""

from __future__ import annotations

import re

import attrs

from rmz_async.sandbox.delivery.log import Parcel

__all__ = ("spoiled",)

# The first time in the body, in the form that webhooks have.
_A_TIME = re.compile(rb'"\d{4}-\d\d-\d\dT[^"]*"')


def spoiled(parcel: Parcel) -> Parcel:
    """Return *parcel* with a time that is none, as MySQL writes a missing one."""
    body = _A_TIME.sub(b'"0000-00-00 00:00:00"', parcel.body, count=1)
    return attrs.evolve(parcel, body=body)
