"""``rmz subscriptions``: read and change subscriptions."""

from __future__ import annotations

import sys
from typing import Annotated, Literal

from rmz_async._extras import extra
from rmz_async.cli._changing import Consent, change
from rmz_async.cli._listing import print_each, print_walk
from rmz_async.cli._options import INTEGER, Limit, Options, between, open_client
from rmz_async.cli._wording import text
from rmz_async.models import PhoneNumber, Subscription

with extra("cli", needed_by="The command rmz"):
    from cyclopts import App, Parameter

_HEADINGS = ("id", "status", "user", "product", "period_end", "renews")
_DEFAULT, _ASKED = Options(), Consent()

application = App(name="subscriptions", help="Read and change subscriptions.")


def _summary(each: Subscription) -> dict[str, object]:
    renews = each.auto_renew and not each.cancel_at_period_end
    return {
        "id": each.id,
        "status": each.status,
        "user": each.external_customer_id,
        "product": each.product and each.product.name,
        "period_end": each.current_period_end,
        "renews": None if each.auto_renew is None else renews,
    }


@application.command
async def get(subscription_id: Annotated[int, INTEGER], /, *, options: Options = _DEFAULT) -> None:
    """Show one subscription."""
    async with open_client() as rmz:
        found = await rmz.subscriptions.get(subscription_id)
    print_each([found], _summary, _HEADINGS, options)


@application.command(name="list")
async def list_(
    *, email: str | None = None, limit: Limit = None, options: Options = _DEFAULT
) -> None:
    """List the store's subscriptions.

    Args:
        email: Only those of this customer.
        limit: The most to read; all if left out.
        options: How to print.
    """
    async with open_client() as rmz:
        walk = rmz.subscriptions.list(customer_email=email)
        await print_walk(walk, _summary, _HEADINGS, options, limit=limit)


@application.command
async def lookup(
    user: str | None = None,
    /,
    *,
    email: str | None = None,
    phone: str | None = None,
    country_code: str = "966",
    product_id: Annotated[int | None, INTEGER] = None,
    include_inactive: Annotated[bool, Parameter(negative="--no-include-inactive")] = True,
    options: Options = _DEFAULT,
) -> None:
    """Find the subscriptions of one customer.

    Args:
        user: Your own id of the customer, the external_customer_id of the checkout.
        email: The customer's e-mail address.
        phone: The customer's phone number, without the dial code.
        country_code: The dial code of the phone number, such as 966.
        product_id: Only subscriptions to this product.
        include_inactive: Also those that RMZ does not count as active.
        options: How to print.
    """
    async with open_client() as rmz:
        found = await rmz.subscriptions.lookup(
            external_customer_id=user,
            email=email,
            phone=None if phone is None else PhoneNumber(country_code=country_code, phone=phone),
            product_id=product_id,
            include_inactive=include_inactive,
        )
    print_each(found.subscriptions, _summary, _HEADINGS, options)


async def _carry_out(
    subscription_id: int, call: str, consent: Consent, options: Options, **fields: object
) -> int:
    changed = await change(subscription_id, call, fields, consent)
    if isinstance(changed, int):
        return changed
    try:
        print_each([changed], _summary, _HEADINGS, options)
        sys.stdout.flush()
    except OSError:
        # The exit code says that the command failed, and nobody may send the change again.
        print(text("rmz: the change was applied"), file=sys.stderr)
        raise
    return 0


@application.command
async def extend(
    subscription_id: Annotated[int, INTEGER],
    /,
    *,
    days: Annotated[int | None, between(1, 365)] = None,
    months: Annotated[int | None, between(1, 24)] = None,
    consent: Consent = _ASKED,
    options: Options = _DEFAULT,
) -> int:
    """Add days or months to the paid period.

    Args:
        subscription_id: The number of the subscription.
        days: 1 to 365.
        months: 1 to 24, of 30 days each.
        consent: Whether to ask, and whether to send.
        options: How to print.
    """
    given = {"days": days, "months": months}
    given = {name: number for name, number in given.items() if number is not None}
    if len(given) != 1:
        print(text("rmz: give --days or --months, and not both"), file=sys.stderr)
        return 2
    return await _carry_out(subscription_id, "extend", consent, options, **given)


@application.command
async def pause(
    subscription_id: Annotated[int, INTEGER],
    /,
    *,
    consent: Consent = _ASKED,
    options: Options = _DEFAULT,
) -> int:
    """Pause: access ends now, and the days that are paid for are kept.

    Args:
        subscription_id: The number of the subscription.
        consent: Whether to ask, and whether to send.
        options: How to print.
    """
    return await _carry_out(subscription_id, "pause", consent, options)


@application.command
async def unpause(
    subscription_id: Annotated[int, INTEGER],
    /,
    *,
    consent: Consent = _ASKED,
    options: Options = _DEFAULT,
) -> int:
    """End the pause of a subscription.

    Args:
        subscription_id: The number of the subscription.
        consent: Whether to ask, and whether to send.
        options: How to print.
    """
    return await _carry_out(subscription_id, "unpause", consent, options)


@application.command
async def cancel(
    subscription_id: Annotated[int, INTEGER],
    /,
    *,
    effective: Literal["end_of_period", "immediate"] = "end_of_period",
    consent: Consent = _ASKED,
    options: Options = _DEFAULT,
) -> int:
    """Cancel, with the period or immediately.

    Args:
        subscription_id: The number of the subscription.
        effective: end_of_period keeps access until the period ends; immediate ends access now.
        consent: Whether to ask, and whether to send.
        options: How to print.
    """
    return await _carry_out(subscription_id, "cancel", consent, options, effective=effective)
