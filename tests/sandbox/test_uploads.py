from __future__ import annotations

from typing import Any

import httpx
import pytest

from rmz_async.sandbox import Sandbox

pytestmark = pytest.mark.anyio

PNG = ("tea.PNG", b"PNG", "image/png")


async def test_an_upload_can_be_named_by_a_product(
    api: httpx.AsyncClient, sandbox: Sandbox
) -> None:
    """RMZ returns what it keeps, and counts ids on from there."""
    answer = await api.post("/products/upload?type=image", files={"file": PNG})
    kept = answer.json()["data"]
    assert answer.status_code == 200
    assert kept["file_name"].endswith(".png")
    assert {**kept, "file_name": ""} == {
        "id": 601,
        "type": "image",
        "name": "tea.PNG",
        "file_name": "",
        "path": "products/images",
        "mime_type": "image/png",
        "size": 3,
    }
    product = {
        "name": "Tea",
        "type": "service",
        "price": 1,
        "cost_price": 0,
        "image": {"file": {"response": {"id": 601}}},
    }
    made = await api.post("/products", json=product)
    assert made.json()["data"]["image"]["file_name"] == kept["file_name"]
    assert [effect.operation for effect in sandbox.ledger] == ["products.upload", "products.create"]


@pytest.mark.parametrize(
    ("kind", "file", "field"),
    [
        ("image", ("a.pdf", b"x"), "file"),
        ("extra_image", ("a", b"x"), "file"),
        ("file", ("a.exe", b"x"), "file"),
        ("video", PNG, "type"),
        ("", PNG, "type"),
        ("image", ("a.png", bytes(10 * 1024 * 1024 + 1)), "file"),
        ("image", None, "file"),
    ],
    ids=["pdf", "no ending", "exe", "kind", "no kind", "large", "none"],
)
async def test_an_upload_that_is_not_allowed_is_refused(
    api: httpx.AsyncClient, kind: str, file: Any, field: str
) -> None:
    files = {"other": PNG} if file is None else {"file": file}
    answer = await api.post("/products/upload", params={"type": kind}, files=files)
    assert answer.status_code == 422
    assert list(answer.json()["errors"]) == [field]


@pytest.mark.parametrize(
    ("content", "content_type"),
    [
        (b"PNG", "multipart/form-data; boundary=x"),
        (b"PNG", "multipart/form-data"),
        (b"{}", "application/json"),
        (
            b'--x\r\nContent-Disposition: form-data; name="file"\r\n\r\nPNG\r\n--x--\r\n',
            "multipart/form-data; boundary=x",
        ),
    ],
    ids=["no form", "no boundary", "JSON", "text field"],
)
async def test_a_body_without_a_file_has_none(
    api: httpx.AsyncClient, content: bytes, content_type: str
) -> None:
    answer = await api.post(
        "/products/upload?type=image", content=content, headers={"Content-Type": content_type}
    )
    assert answer.status_code == 422
    assert "file" in answer.json()["errors"]
