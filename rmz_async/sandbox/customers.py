"""Find out which customer a call speaks of."""

from __future__ import annotations

from rmz_async.sandbox.answers import RefusedError
from rmz_async.sandbox.fields import Fields
from rmz_async.sandbox.ids import next_id
from rmz_async.sandbox.state import Customer, Store

__all__ = ("by_phone", "existing", "existing_or_new")


def by_phone(store: Store, country_code: str, phone: str) -> Customer | None:
    """Return the customer with this dial code and phone, if there is one."""
    for customer in store.customers.values():
        if (customer.country_code, customer.phone) == (country_code.lstrip("+"), phone):
            return customer
    return None


def existing(fields: Fields, store: Store) -> Customer:
    """Return the customer named by id, or by dial code and phone.

    Raises:
        InvalidFieldsError: Neither is there in full.
        RefusedError: 404, nobody is called that.
    """
    if fields.has("id"):
        customer_id = fields.integer("id")
        fields.check()
        customer = store.customers.get(customer_id)
    else:
        country_code = fields.text("country_code", required=True, longest=5)
        phone = fields.digits("phone", least=5, most=15)
        fields.check()
        customer = by_phone(store, country_code, phone)
    if customer is None:
        raise RefusedError(404, "Customer not found")
    return customer


def existing_or_new(fields: Fields, store: Store) -> Customer:
    """Return the customer named by id, or matched by dial code and phone, or else made.

    A matched customer stays as it was, whatever name and address were sent.

    Raises:
        InvalidFieldsError: The id is unknown, or a field of a new customer is missing or wrong.
    """
    if fields.has("id"):
        customer_id = fields.integer("id")
        if customer_id not in store.customers:
            fields.refuse("id", "The selected {} is invalid.")
        fields.check()
        return store.customers[customer_id]
    country_code = fields.text("country_code", required=True, longest=5)
    phone = fields.digits("phone", least=5, most=15)
    first_name = fields.text("firstName", required=True)
    last_name = fields.text("lastName", required=True)
    email = fields.email("email", required=True)
    fields.check()
    matched = by_phone(store, country_code, phone)
    if matched is not None:
        return matched
    customer = Customer(
        id=next_id(store.customers, first=4501),
        first_name=first_name,
        last_name=last_name,
        country_code=country_code.lstrip("+"),
        phone=phone,
        email=email,
    )
    store.customers[customer.id] = customer
    return customer
