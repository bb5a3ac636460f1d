"""Paths of the dashboard."""

from __future__ import annotations

from pathlib import Path

from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from rmz_async.sandbox.backend import Backend
from rmz_async.sandbox.dashboard.actions import DashboardActions
from rmz_async.sandbox.dashboard.calls import ApiCalls
from rmz_async.sandbox.dashboard.fault_rules import FaultRules
from rmz_async.sandbox.dashboard.live import Live, version_of
from rmz_async.sandbox.dashboard.pages import DashboardPages
from rmz_async.sandbox.dashboard.snapshot_pages import SnapshotPages
from rmz_async.sandbox.dashboard.world_pages import WorldPages
from rmz_async.sandbox.snapshots.snapshots import Snapshots
from rmz_async.sandbox.wire.routing import route
from rmz_async.sandbox.worlds import Worlds

__all__ = ("dashboard_routes",)


def dashboard_routes(
    backend: Backend, token: str, snapshots: Snapshots, worlds: Worlds | None
) -> list[BaseRoute]:
    """Return the routes of the dashboard, and of what its pages load."""
    pages = DashboardPages(backend, token)
    actions = DashboardActions(backend, pages)
    faults = FaultRules(backend, pages)
    calls = ApiCalls(pages, token)
    live = Live(lambda: version_of(backend), is_ending=lambda: backend.is_ending)
    kept = SnapshotPages(snapshots, pages)
    return [
        *([] if worlds is None else [_of_worlds(WorldPages(worlds, pages))]),
        route("/snapshots", GET=kept.show, POST=kept.act),
        Route("/snapshots/file", kept.load, methods=["POST"]),
        Route("/snapshots/{name}", kept.download),
        Route("/", pages.overview),
        Route("/live", live.stream),
        Route("/clock", actions.move_clock, methods=["POST"]),
        Route("/subscriptions", pages.subscriptions),
        Route("/subscriptions/{id:number}", pages.subscription),
        # Before the API's calls, whose route would match these too.
        Route("/subscriptions/{id:number}/resume", actions.resume, methods=["POST"]),
        Route("/subscriptions/{id:number}/card", actions.set_card, methods=["POST"]),
        Route("/subscriptions/{id:number}/emit", actions.emit, methods=["POST"]),
        Route("/subscriptions/{id:number}/{call}", actions.call, methods=["POST"]),
        Route("/customers", pages.customers),
        Route("/customers/{id:number}/checkout", actions.open_checkout, methods=["POST"]),
        Route("/customers/{id:number}/portal", actions.open_portal, methods=["POST"]),
        Route("/orders", pages.orders),
        Route("/orders/{id:number}", actions.set_order_status, methods=["POST"]),
        Route("/requests", pages.requests),
        Route("/deliveries", pages.deliveries),
        Route("/deliveries/{number:number}", actions.send_again, methods=["POST"]),
        route("/webhooks", GET=pages.webhooks, POST=actions.add_webhook),
        Route("/webhooks/{id:number}", actions.change_webhook, methods=["POST"]),
        route("/faults", GET=faults.show, POST=faults.add),
        Route("/faults/clear", faults.clear, methods=["POST"]),
        Route("/faults/{number:number}/remove", faults.remove, methods=["POST"]),
        Route("/switches", faults.set_switches, methods=["POST"]),
        route("/calls", GET=calls.show, POST=calls.make),
        Route("/calls/upload/{kind}", calls.upload, methods=["POST"]),
        Mount("/dashboard-assets", StaticFiles(directory=Path(__file__).with_name("static"))),
    ]


def _of_worlds(pages: WorldPages) -> BaseRoute:
    return route("/worlds", GET=pages.show, POST=pages.act)
