"""Stylesheets and scripts of the pages, served from this server alone."""

from __future__ import annotations

from pathlib import Path

from starlette.routing import Mount
from starlette.staticfiles import StaticFiles

__all__ = ("asset_routes",)


def asset_routes() -> list[Mount]:
    """Return the routes below ``/assets``."""
    return [Mount("/assets", StaticFiles(directory=Path(__file__).with_name("static")))]
