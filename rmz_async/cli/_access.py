"""``rmz access``: does this user have access?"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from rmz_async.cli._options import INTEGER, Options, open_client
from rmz_async.cli._printing import print_document, print_rows, print_sentence
from rmz_async.cli._wording import language
from rmz_async.paywall import Grant, Policy, decide
from rmz_async.paywall._users import subscriptions_of

_GRANTED, _REFUSED = 0, 1

CANNOT_SAY = 3
"""The exit code if RMZ's answer decides nothing, or there is none."""


async def access(
    user: str,
    /,
    *,
    product_id: Annotated[tuple[int, ...], INTEGER] = (),
    options: Options = Options(),  # noqa: B008 - frozen
) -> int:
    """Say whether a user has access, why, and until when; the exit code says so too.

    Args:
        user: Your own id of the customer, the external_customer_id of the checkout.
        product_id: Only subscriptions to these products count.
        options: How to print.
    """
    async with open_client() as rmz:
        found = await rmz.subscriptions.lookup(external_customer_id=user, include_inactive=True)
    policy = Policy(product_ids=product_id) if product_id else Policy()
    # The rules of `Paywall`, so that the command and the application agree.
    answer = decide(subscriptions_of(user, found.subscriptions), policy)
    sentence = answer.text(language())
    number = None if answer.subscription is None else answer.subscription.id
    row = {
        "user": user,
        "granted": answer.granted,
        "certain": answer.certain,
        "reason": str(answer.reason),
        "text": sentence,
        "until": answer.until,
        "subscription": number,
    }
    if options.json:
        grants = [_grant(each) for each in answer.grants]
        print_document({**row, "until": _moment(answer.until), "grants": grants})
    elif options.csv:
        print_rows([row], tuple(row), options)
    else:
        print_rows([row], ("user", "granted", "reason", "until", "subscription"), options)
        print_sentence(sentence)
    if answer.granted:
        return _GRANTED
    return _REFUSED if answer.certain else CANNOT_SAY


def _grant(grant: Grant) -> dict[str, object]:
    product = grant.product
    return {
        "product": None if product is None else product.slug or product.id,
        "subscription": grant.subscription.id,
        "reason": str(grant.reason),
        "until": _moment(grant.until),
    }


def _moment(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat().replace("+00:00", "Z")
