"""The Compose file of "In containers and in CI"."""

from __future__ import annotations

import re
import socket
from inspect import signature
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
import yaml

import rmz_sync
from rmz_async.integrations.fastapi import webhook_router
from rmz_async.sandbox import Sandbox
from rmz_async.sandbox.__main__ import main
from rmz_async.sandbox.serving.served import listen
from tests.docs.pages import ROOT, prose_of

PAGE = "docs/containers.md"
EXAMPLES = ROOT / "docs" / "examples"
SERVICES: dict[str, Any] = yaml.safe_load((EXAMPLES / "compose.yaml").read_text("utf-8"))[
    "services"
]
COMMAND: list[str] = SERVICES["rmz"]["command"][3:]


def option(name: str) -> str:
    """Return the value of an option of the sandbox."""
    (value,) = [word.partition("=")[2] for word in COMMAND if word.startswith(f"--{name}=")]
    return value


def test_the_sandbox_of_the_file_starts_and_answers_its_service(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """By the name that the service has for it; no address but loopback is really bound here."""
    environment = SERVICES["app"]["environment"]
    asked: list[str] = []
    seen: list[Any] = []

    def listen_here(host: str, port: int) -> socket.socket:
        asked.append(f"{host}:{port}")
        return listen("127.0.0.1", 0)

    def look() -> None:
        base_url = re.findall(r"RMZ_BASE_URL=(\S+)", capsys.readouterr().out)[0]
        answer = httpx.post(
            f"{base_url}/portal-sessions",
            headers={
                "Host": urlsplit(environment["RMZ_BASE_URL"]).netloc,
                "Authorization": f"Bearer {environment['RMZ_API_TOKEN']}",
            },
            json={"customer": {"id": 4501}},
        )
        seen.append(answer.json()["data"]["url"])

    monkeypatch.setattr("rmz_async.sandbox.serving.served.listen", listen_here)
    assert main(COMMAND, wait=look) == 0
    (link,) = seen
    host, port = asked[0].split(":")
    assert host == option("host")
    assert urlsplit(environment["RMZ_BASE_URL"]).netloc == f"rmz:{port}"
    assert link.startswith(f"{option('public-url')}/s/")


def test_both_sides_have_the_same_secret_and_the_address_of_the_webhook() -> None:
    environment = SERVICES["app"]["environment"]
    webhook = urlsplit(option("webhook"))
    service = (EXAMPLES / "service.py").read_text("utf-8")

    assert environment["RMZ_WEBHOOK_SECRET"] == option("secret")
    assert webhook.hostname in SERVICES
    assert webhook.path == signature(webhook_router).parameters["path"].default
    assert set(re.findall(r'os\.environ\["(\w+)"\]', service)) <= set(environment)
    assert '"RMZ_SANDBOX" in os.environ' in service
    assert "RMZ_SANDBOX" in environment


def test_the_client_of_the_service_takes_the_address_by_its_option_only() -> None:
    address = SERVICES["app"]["environment"]["RMZ_BASE_URL"]
    with pytest.raises(rmz_sync.ConfigurationError, match="send_token_unencrypted=True"):
        rmz_sync.Client("1|local", base_url=address)
    rmz_sync.Client("1|local", base_url=address, send_token_unencrypted=True)


def test_ports_are_published_on_this_machine_alone() -> None:
    published = [port for service in SERVICES.values() for port in service["ports"]]

    assert published
    assert [port for port in published if not port.startswith("127.0.0.1:")] == []


def test_the_health_check_is_a_command_that_succeeds_while_the_sandbox_answers() -> None:
    check: list[str] = SERVICES["rmz"]["healthcheck"]["test"][1:]
    with Sandbox(token=option("token")).serve() as served:
        address = served.base_url.removesuffix("/shawarma")

        assert check[:3] == ["python", "-m", "rmz_async.sandbox"]
        assert main([*check[3:], "--url", address]) == 0


def test_the_page_explains_each_option_of_the_file() -> None:
    text = "\n".join(line for _, line in prose_of(PAGE))
    names = {word.partition("=")[0] for word in COMMAND}

    assert [name for name in names if f"`{name}" not in text] == []
