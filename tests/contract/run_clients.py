"""Make clients of the OpenAPI document with two generators, and play every call with both.

openapi-python-client writes a package for Python, openapi-typescript the types that openapi-fetch
uses in TypeScript. Both play against a sandbox that is served. Ends non-zero if a generator
warns, a type does not fit, or a call does not come to its documented status.
"""

from __future__ import annotations

import importlib
import inspect
import json
import shutil
import subprocess
import sys
import typing
from collections.abc import Mapping, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

from rmz_async.sandbox import Sandbox
from tests.endpoint import Endpoint, Request
from tests.endpoints import ENDPOINTS

DOCUMENT = Path(__file__).parents[2] / "docs" / "openapi.yaml"
PACKAGES = (
    "typescript@5.9.3",
    "openapi-typescript@7.10.1",
    "openapi-fetch@0.15.0",
    "@types/node@20.19.25",
)
UPLOADED = b"PNG"
# The seeded sandbox has these, by resource.
IDS = {"subscriptions": 501, "products": 111}


def main() -> int:
    """Print what was played.

    Returns:
        The exit code.
    """
    python = generated_in_python()
    for name, play in (("openapi-python-client", python.play), ("openapi-fetch", in_typescript)):
        with Sandbox(throttle=False).serve() as served:
            play(served.base_url, served.sandbox)
        print(f"{name:<22} played {len(ENDPOINTS)} calls")
    return 0


def plays(sandbox: Sandbox) -> Sequence[tuple[Endpoint, Request, int]]:
    """Return a request of each call with the id that it is about; uploads first, to be named."""
    in_progress = [order.id for order in sandbox.state.orders.values() if order.status == 3]
    ids = {**IDS, "orders": in_progress[0]}
    played = sorted(ENDPOINTS, key=lambda endpoint: endpoint.method != "upload")
    return [(endpoint, endpoint.requests[0], ids.get(endpoint.resource, 1)) for endpoint in played]


class PythonClient:
    """The package that openapi-python-client has written."""

    def __init__(self, package: str) -> None:
        self._package = package
        self._client = importlib.import_module(package).AuthenticatedClient

    def play(self, base_url: str, sandbox: Sandbox) -> None:
        """Make each request, and see that its answer was parsed."""
        with self._client(base_url=base_url, token=sandbox.token) as client:
            for endpoint, request, number in plays(sandbox):
                answer = self._call(client, endpoint, request, number)
                assert int(answer.status_code) // 100 == 2, (endpoint.name, answer.content)
                assert answer.parsed is not None, endpoint.name

    def _call(self, client: Any, endpoint: Endpoint, request: Request, number: int) -> Any:
        name = endpoint.name.replace(".", "_")
        module = importlib.import_module(f"{self._package}.api.{endpoint.resource}.{name}")
        hints = typing.get_type_hints(module.sync_detailed, vars(module))
        given: dict[str, Any] = {}
        for parameter in inspect.signature(module.sync_detailed).parameters:
            wire_name = parameter.rstrip("_")
            if parameter == "id":
                given[parameter] = number
            elif parameter == "body" and request.body is not None:
                given[parameter] = self._body(hints["body"], request.body)
            elif found := _camel(wire_name, endpoint.query(request, 1)):
                given[parameter] = _read(hints[parameter], found)
        return module.sync_detailed(client=client, **given)

    def _body(self, hint: Any, body: Any) -> Any:
        model = next(
            kind for kind in (typing.get_args(hint) or (hint,)) if hasattr(kind, "from_dict")
        )
        if not hasattr(model, "file"):
            return model.from_dict(body)
        file = importlib.import_module(f"{self._package}.types").File
        return model(file=file(BytesIO(UPLOADED), "a.png", "image/png"))


def generated_in_python() -> PythonClient:
    """Let openapi-python-client write a package into the current directory."""
    package = "made_in_python"
    shutil.rmtree(package, ignore_errors=True)
    command = [sys.executable, "-m", "openapi_python_client", "generate", "--fail-on-warning"]
    where = ["--path", str(DOCUMENT), "--output-path", package, "--meta", "none"]
    subprocess.run([*command, *where], check=True)
    sys.path.insert(0, str(Path.cwd()))
    return PythonClient(package)


def in_typescript(base_url: str, sandbox: Sandbox) -> None:
    """Write a program that makes each request, check its types, and run it with Node.js."""
    npm("init", "--yes")
    npm("install", "--silent", "--no-audit", "--no-fund", *PACKAGES)
    run("openapi-typescript", str(DOCUMENT), "--output", "schema.ts")
    lines = [
        'import createClient from "openapi-fetch";',
        'import type { paths } from "./schema.js";',
        "const headers = { Authorization: `Bearer ${process.env.RMZ_API_TOKEN}` };",
        "const rmz = createClient<paths>({ baseUrl: process.env.RMZ_BASE_URL!, headers });",
        "function check(name: string, answer: { response: Response; data?: unknown }) {",
        "  if (!answer.response.ok || !answer.data) {",
        "    throw new Error(`${name} came to ${answer.response.status}`);",
        "  }",
        "}",
    ]
    lines += [statement(endpoint, request, number) for endpoint, request, number in plays(sandbox)]
    Path("play.ts").write_text("\n".join(lines) + "\n", encoding="utf-8")
    Path("package.json").write_text('{"type": "module"}', encoding="utf-8")
    run("tsc", "--strict", "--module", "nodenext", "--target", "es2022", "play.ts")
    node = shutil.which("node")
    assert node is not None  # as npx is there
    environment = {"RMZ_BASE_URL": base_url, "RMZ_API_TOKEN": sandbox.token}
    subprocess.run([node, "play.js"], check=True, env=environment)


def statement(endpoint: Endpoint, request: Request, number: int) -> str:
    """Return the TypeScript that makes one request."""
    query = {
        name: int(value) if name in ("page", "product_id", "include_inactive") else value
        for name, value in endpoint.query(request, 1).items()
    }
    params: dict[str, Any] = {}
    if "{id}" in endpoint.operation.path:
        params["path"] = {"id": number}
    if query:
        params["query"] = query
    given: dict[str, Any] = {"params": params}
    if request.body is not None:
        given["body"] = request.body
    options = json.dumps(given, ensure_ascii=False)
    if endpoint.method == "upload":
        form = 'const form = new FormData(); form.append("file", new Blob(["PNG"]), "a.png");'
        options = f"{options[:-1]}, bodySerializer() {{ {form} return form; }}}}"
    call = f'rmz.{endpoint.operation.method}("{endpoint.operation.path}", {options})'
    return f'check("{endpoint.name}", await {call});'


def npm(*arguments: str) -> None:
    """Run npm in the current directory."""
    found = shutil.which("npm")
    assert found is not None  # as npx is there
    subprocess.run([found, *arguments], check=True, stdout=subprocess.DEVNULL)


def run(program: str, *arguments: str) -> None:
    """Run a program that npm has installed."""
    subprocess.run([str(Path("node_modules/.bin") / program), *arguments], check=True)


def _camel(name: str, values: Mapping[str, str]) -> str | None:
    """Return the value whose name is *name* in snake case."""
    plain = {key.replace("_", "").lower(): value for key, value in values.items()}
    return plain.get(name.replace("_", ""))


def _read(hint: Any, value: str) -> Any:
    """Return a query's string as the generated code takes it."""
    kinds = typing.get_args(hint) or (hint,)
    for kind in kinds:
        if hasattr(kind, "__members__"):
            return kind(int(value)) if value.isdigit() else kind(value)
        if kind.__name__ == "date":
            return kind.fromisoformat(value)
        if kind is int and value.isdigit():
            return int(value)
    return value


if __name__ == "__main__":
    sys.exit(main())
