"""Runs every Python example of the pages and of the README, and looks for the tests they name.

Each page has a sandbox of its own, which ``RMZ_BASE_URL`` and ``RMZ_API_TOKEN`` name while the page
runs. What is written as a comment that begins with ``invisible-code-block`` runs too.
"""

from __future__ import annotations

import ast
import asyncio
import inspect
import logging
import os
import re
import secrets
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from sybil import Document, Example, Region, Sybil
from sybil.evaluators.python import pad
from sybil.parsers.myst import CodeBlockParser

from rmz_async.sandbox import Sandbox

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(Path(__file__).parent / "_extensions"))

from proofs import claim_of  # noqa: E402 - found by the line above, as by conf.py


class LosesAnswers(httpx.AsyncBaseTransport):
    """A network that carries all requests, and loses the answers to those that change things."""

    def __init__(self) -> None:
        self._network = httpx.AsyncHTTPTransport(trust_env=False)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Carry one request."""
        response = await self._network.handle_async_request(request)
        if request.method == "GET":
            return response
        await response.aread()
        raise httpx.ReadError("the connection broke", request=request)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._network.aclose()


def pay(checkout_url: str) -> str:
    """Do what a customer does on the hosted page; return where they are sent."""
    answer = httpx.post(f"{checkout_url}/pay", trust_env=False)
    assert answer.status_code == 303, answer.text
    return answer.headers["location"]


def set_up(namespace: dict[str, Any]) -> None:
    """Serve a sandbox, and make it the one that a page's examples talk to."""
    namespace["_environment"] = dict(os.environ)
    namespace["_runner"] = asyncio.Runner()
    sandbox = namespace["sandbox"] = Sandbox(throttle=False).serve().__enter__()
    os.environ["RMZ_API_TOKEN"] = sandbox.token
    os.environ["RMZ_BASE_URL"] = sandbox.base_url
    os.environ["RMZ_WEBHOOK_SECRET"] = secrets.token_hex(14)
    namespace |= {"__name__": "example", "httpx": httpx, "LosesAnswers": LosesAnswers, "pay": pay}


def tear_down(namespace: dict[str, Any]) -> None:
    """Stop the sandbox, and undo what the examples set."""
    namespace["_runner"].close()
    namespace["sandbox"].__exit__(None, None, None)
    os.environ.clear()
    os.environ.update(namespace["_environment"])
    for name in ("httpx", "rmz_async"):
        logging.getLogger(name).setLevel(logging.NOTSET)


def run(example: Example) -> None:
    """Run one example; as in a notebook, ``await`` may stand outside a function."""
    source = pad(example.parsed, example.line + example.parsed.line_offset)
    code = compile(
        source, example.path, "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True
    )
    waiting = eval(code, example.namespace)  # noqa: S307 - the pages' own examples
    if inspect.iscoroutine(waiting):
        example.namespace["_runner"].run(waiting)


def proofs(document: Document) -> Iterator[Region]:
    """Find the tests that a page names."""
    for found in re.finditer(r"\{proof\}`([^`]+)`", document.text):
        yield Region(found.start(), found.end(), found[1], look_up)


def look_up(example: Example) -> None:
    """Fail where a test that a page names is not there."""
    claim_of(example.parsed)


class Examples:
    """The collector, as a plugin: a conftest's own hook would not see the README above it."""

    pytest_collect_file = staticmethod(
        Sybil(
            parsers=[CodeBlockParser("python", run), proofs],
            path=str(ROOT),
            patterns=["docs/*.md", "docs/failing/*.md", "README.md"],
            setup=set_up,
            teardown=tear_down,
        ).pytest()
    )


def pytest_configure(config: pytest.Config) -> None:
    """Collect the pages."""
    config.pluginmanager.register(Examples())
