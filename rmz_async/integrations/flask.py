"""RMZ in Flask: a blueprint for deliveries, over the receiver of ``rmz_sync``.

::

    app.register_blueprint(blueprint(receiver))
"""

from __future__ import annotations

from flask import Blueprint, Response, request

from rmz_async.integrations._bodies import PATH, READ_AT_MOST, BlockingReceiver

__all__ = ("blueprint",)


def blueprint(receiver: BlockingReceiver, path: str = PATH) -> Blueprint:
    """Return the blueprint with the route at which RMZ delivers.

    The handlers run where ``receiver.working()`` does: in this process, or in one of their own.

    Args:
        receiver: Verifies and stores the deliveries.
        path: The path of the URL that you gave RMZ.
    """
    routes = Blueprint("rmz", __name__)

    @routes.post(path)
    def rmz_webhook() -> Response:
        # Not get_data(): Flask has no limit of its own.
        body = request.stream.read(READ_AT_MOST)
        ack = receiver.receive(body, request.environ)
        return Response(ack.body, ack.status, mimetype="text/plain")

    return routes
