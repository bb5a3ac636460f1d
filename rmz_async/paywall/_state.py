"""Signed state in the address to which a customer comes back from the checkout."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal, NamedTuple, cast
from urllib.parse import urlencode, urlsplit, urlunsplit

from rmz_async import operations
from rmz_async._extras import extra
from rmz_async.errors import ConfigurationError
from rmz_async.models import Subscription
from rmz_async.resources._validation import Validation

if TYPE_CHECKING:
    from itsdangerous import TimestampSigner

PARAMETER = "rmz-state"

# The session lives 7 minutes; a bank's own page may hold the customer up for longer.
LIFETIME = 3600

# A customer with a saved card is back within seconds, at another server whose clock may be behind.
CLOCKS_AGREE = 300

SHORTEST_SECRET = 16


class Bought(NamedTuple):
    """A plan.

    Attributes:
        product_id: Positive integer.
        variant_id: Positive integer.
    """

    product_id: int
    variant_id: int

    def is_of(self, subscription: Subscription) -> bool:
        """Return whether a subscription may be to this plan; what RMZ leaves out is no sign."""
        product, variant = subscription.product, subscription.variant
        return (product is None or product.id == self.product_id) and (
            variant is None or variant.id in (None, self.variant_id)
        )


class Secrets:
    """The secrets of `Paywall`, kept out of a traceback, which may show the variables of frames.

    Args:
        given: The secret, or several: the first one signs, and all are accepted.
    """

    __slots__ = ("_given", "keys")

    def __init__(self, given: str | Sequence[str]) -> None:
        self._given = given

    def check(self) -> None:
        """Raise ConfigurationError if they would not protect anything."""
        self.keys: list[str] = [self._given] if isinstance(self._given, str) else list(self._given)
        if not self.keys or any(map(_is_weak, self.keys)):
            raise ConfigurationError(
                "state_secret: must be one or more strings that UTF-8 can encode, of "
                f"{SHORTEST_SECRET} or more characters"
            )


def hidden(secrets: str | Sequence[str] | Secrets | None) -> Secrets | None:
    """Return what holds the secrets of an option; None if the option is not given."""
    return secrets if secrets is None or isinstance(secrets, Secrets) else Secrets(secrets)


class State:
    """Signs who has started a checkout, and of which plan.

    Args:
        secrets: The secrets.
    """

    def __init__(self, secrets: Secrets) -> None:
        secrets.check()
        with extra("paywall", needed_by="state_secret"):
            from itsdangerous import URLSafeTimedSerializer
        # The library signs with the last key.
        self._serializer = URLSafeTimedSerializer(secrets.keys[::-1], salt="rmz.paywall.state")
        # The library leaves it at the type of all its signers.
        self._signer = cast("TimestampSigner", self._serializer.make_signer())

    def added_to(self, url: str, user: str, plan: Bought) -> str:
        """Return *url* with the state of *user* in its query; all else stays as it is.

        Raises:
            InvalidRequestError: RMZ would refuse the address.
        """
        check = Validation(operations.CHECKOUT_SESSIONS_CREATE)
        # An address object of a web framework becomes a string.
        address = check.url("success_url", url)
        check.finish()
        parts = urlsplit(str(address))
        state = urlencode({PARAMETER: self._serializer.dumps([_digest(user), *plan])})
        query = f"{parts.query}&{state}" if parts.query else state
        return urlunsplit(parts._replace(query=query))

    def check(
        self, value: str, user: str
    ) -> Bought | Literal["link_expired", "link_altered", "someone_elses"]:
        """Return the plan that *user* has started to buy, or what is wrong with *value*."""
        with extra("paywall", needed_by="state_secret"):
            from itsdangerous import BadData

        try:
            # With an age to check, the library refuses a link from the future.
            contents, signed_at = self._serializer.loads(value, return_timestamp=True)
            signed, product_id, variant_id = contents
        # Another version of this library may have signed something else.
        except (BadData, ValueError, TypeError):
            return "link_altered"
        age = self._signer.get_timestamp() - round(signed_at.timestamp())
        if not -CLOCKS_AGREE <= age <= LIFETIME:
            return "link_expired"
        if not hmac.compare_digest(str(signed), _digest(user)):
            return "someone_elses"
        return Bought(product_id, variant_id)


def _is_weak(secret: object) -> bool:
    # The encoder's error would show a secret that is not UTF-8.
    return (
        not isinstance(secret, str)
        or len(secret) < SHORTEST_SECRET
        or any("\ud800" <= letter <= "\udfff" for letter in secret)
    )


def _digest(user: str) -> str:
    # The address passes through RMZ, and stays in the browser's history.
    return hashlib.sha256(user.encode()).hexdigest()[:32]
