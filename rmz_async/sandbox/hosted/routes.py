"""Paths of the pages that RMZ hosts."""

from __future__ import annotations

from pathlib import Path

from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from rmz_async.sandbox.backend import Backend
from rmz_async.sandbox.hosted.checkout import CheckoutPages
from rmz_async.sandbox.hosted.messages import MessageLog
from rmz_async.sandbox.hosted.order_checkout import OrderCheckoutPages
from rmz_async.sandbox.hosted.portal.entrance import Entrance
from rmz_async.sandbox.hosted.portal.invoices import InvoicePages
from rmz_async.sandbox.hosted.portal.subscriptions import SubscriptionPages
from rmz_async.sandbox.hosted.portal.visits import Visits
from rmz_async.sandbox.wire.routing import route

__all__ = ("hosted_routes",)


def hosted_routes(backend: Backend) -> list[BaseRoute]:
    """Return the routes of checkout, portal and message log, and of what these load."""
    log = MessageLog(backend)
    return [
        *_paying("/checkout/{key}", CheckoutPages(backend)),
        *_paying("/order-checkout/{key}", OrderCheckoutPages(backend)),
        *_portal(backend),
        Route("/messages", log.page),
        Route("/messages.json", log.rows),
        Mount("/assets", StaticFiles(directory=Path(__file__).with_name("static"))),
    ]


def _paying(path: str, pages: CheckoutPages | OrderCheckoutPages) -> list[Route]:
    return [
        Route(path, pages.show),
        Route(f"{path}/pay", pages.pay, methods=["POST"]),
        Route(f"{path}/cancel", pages.cancel, methods=["POST"]),
        route(f"{path}/confirm", GET=pages.challenge, POST=pages.confirm),
    ]


def _portal(backend: Backend) -> list[Route]:
    visits = Visits(backend)
    entrance = Entrance(backend, visits)
    pages = SubscriptionPages(backend, visits)
    path = "/portal/subscriptions/{id:number}"
    return [
        route("/s/{token}", GET=entrance.show, POST=entrance.enter),
        route("/portal/code", GET=entrance.ask, POST=entrance.prove),
        Route("/portal", pages.overview),
        Route("/portal/leave", pages.leave, methods=["POST"]),
        Route(path, pages.subscription),
        Route(f"{path}/cancel", pages.cancel, methods=["POST"]),
        Route(f"{path}/resume", pages.resume, methods=["POST"]),
        route(f"{path}/card", GET=pages.card, POST=pages.change_card),
        route(f"{path}/plan/{{variant:number}}", GET=pages.plan, POST=pages.change_plan),
        Route("/portal/invoices/{id:number}", InvoicePages(backend, visits).show),
    ]
