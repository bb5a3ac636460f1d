"""The customer that the body of a call names."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

import attrs

from rmz_async.sandbox.store.state import Customer, Store
from rmz_async.sandbox.wire.answers import RefusedError
from rmz_async.sandbox.wire.fields import Fields

__all__ = ("Details", "by_phone", "details", "existing", "existing_or_new", "matched_or_new")


@attrs.frozen(kw_only=True)
class Details:
    """The details of a new customer."""

    country_code: str
    phone: str
    first_name: str
    last_name: str
    email: str


def by_phone(store: Store, country_code: str, phone: str) -> Customer | None:
    """Return the customer with this dial code and phone, if there is one."""
    return store.finder.customer(country_code.lstrip("+"), phone)


def existing(fields: Fields, store: Store) -> Customer:
    """Return the customer named by id, or by dial code and phone.

    Raises:
        InvalidFieldsError: Neither is there in full.
        RefusedError: 404, there is no such customer.
    """
    if fields.has("id"):
        customer_id = fields.integer("id")
        fields.check()
        customer = store.customers.get(customer_id)
    else:
        country_code = fields.text("country_code", required=True, longest=5)
        phone = fields.phone("phone")
        fields.check()
        customer = by_phone(store, country_code, phone)
    if customer is None:
        raise RefusedError(404, "Customer not found")
    return customer


def details(fields: Fields, dial_codes: Collection[str] | None = None) -> Details:
    """Read the details of a new customer; `Fields.check` refuses those that are wrong.

    Args:
        fields: The customer's.
        dial_codes: Those that are taken; None for any.
    """
    if dial_codes is None:
        country_code = fields.text("country_code", required=True, longest=5)
    else:
        country_code = fields.choice("country_code", dial_codes, required=True)
    return Details(
        country_code=country_code.lstrip("+"),
        phone=fields.phone("phone"),
        first_name=fields.text("firstName", required=True),
        last_name=fields.text("lastName", required=True),
        email=fields.email("email", required=True),
    )


def existing_or_new(fields: Fields, store: Store, now: datetime) -> Customer:
    """Return the customer named by id, or matched by dial code and phone, or else made.

    Raises:
        InvalidFieldsError: The id is unknown, or a field of a new customer is missing or wrong.
    """
    if fields.has("id"):
        customer_id = fields.integer("id")
        if customer_id not in store.customers:
            fields.refuse("id", "The selected {} is invalid.")
        fields.check()
        return store.customers[customer_id]
    given = details(fields)
    fields.check()
    return matched_or_new(given, store, now)


def matched_or_new(given: Details, store: Store, now: datetime) -> Customer:
    """Return the customer with this dial code and phone, or else a new one.

    A matched customer stays as it was, whatever name and address were sent.
    """
    matched = by_phone(store, given.country_code, given.phone)
    if matched is not None:
        return matched
    customer = Customer(
        id=store.customers.next_id(first=4501),
        first_name=given.first_name,
        last_name=given.last_name,
        country_code=given.country_code,
        phone=given.phone,
        email=given.email,
        created_at=now,
        updated_at=now,
    )
    store.customers[customer.id] = customer
    return customer
