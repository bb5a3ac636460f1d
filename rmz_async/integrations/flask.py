"""RMZ in Flask: a blueprint for deliveries, over the receiver of ``rmz_sync``.

::

    app.register_blueprint(blueprint(receiver))
"""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable

from rmz_async._extras import extra
from rmz_async.integrations._bodies import PATH, READ_AT_MOST, BlockingReceiver, check_receiver
from rmz_async.integrations._gate import BlockingPaywall, Gate, check_paywall, keep_private

with extra("flask", needed_by="rmz_async.integrations.flask"):
    from flask import Blueprint, Response, current_app, g, jsonify, request
    from flask.typing import ResponseReturnValue

__all__ = ("blueprint", "requires")

View = Callable[..., ResponseReturnValue]
AsyncView = Callable[..., Awaitable[ResponseReturnValue]]


def blueprint(receiver: BlockingReceiver, path: str = PATH) -> Blueprint:
    """Return the blueprint with the route at which RMZ delivers.

    The handlers run where ``receiver.working()`` does: in this process, or in one of their own.

    Args:
        receiver: Verifies and stores the deliveries.
        path: The path of the URL that you gave RMZ.

    Raises:
        ConfigurationError: *receiver* is not of ``rmz_sync.webhooks``.
    """
    check_receiver(receiver, is_async=False)
    routes = Blueprint("rmz", __name__)

    @routes.post(path)
    def rmz_webhook() -> Response:
        # A limit that the application has set is named here, in Flask's own way.
        stream = request.stream
        try:
            # get_data() has no limit. If a function that ran before has read the body, Flask has
            # kept it, and the stream is empty.
            body = stream.read(READ_AT_MOST) or request.get_data()
        except Exception:  # noqa: BLE001 - each server has errors of its own
            return Response("the body is not complete", 400, mimetype="text/plain")
        ack = receiver.receive(body, request.environ)
        return Response(ack.body, ack.status, mimetype="text/plain")

    return routes


def requires(
    *slugs: str,
    paywall: BlockingPaywall,
    user: Callable[[], str | None],
    offer: Callable[[], str | None] | None = None,
) -> Callable[[View | AsyncView], View]:
    """Return a decorator that lets subscribers in; in the view, ``g.access`` is the answer.

    :mod:`rmz_async.integrations` says what all others get.

    Args:
        slugs: The products that let in; none for all that the paywall counts.
        paywall: Answers.
        user: Returns the signed-in user; None if nobody is signed in.
        offer: Returns the address at which the user can subscribe.

    Raises:
        ConfigurationError: A slug is empty, *paywall* is not of ``rmz_sync``, or *user* is no
            function.
    """
    gate = Gate(slugs, user=user, offer=offer)
    check_paywall(paywall)

    def decorate(view: View | AsyncView) -> View:
        @functools.wraps(view)
        def guarded(*args: object, **kwargs: object) -> ResponseReturnValue:
            name = user()
            access = paywall.check(name, *gate.slugs) if name else None
            if access is not None and access.granted:
                g.access = access
                # Flask runs an async view in a loop of its own, and sees only this function.
                answer = current_app.ensure_sync(view)(*args, **kwargs)
                return keep_private(current_app.make_response(answer))
            refusal = gate.refusal(access, request.headers, None if offer is None else offer())
            return jsonify(refusal.body), refusal.status, refusal.headers

        return guarded

    return decorate
