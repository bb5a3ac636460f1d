"""Find out why a delivery is refused. For development: nothing here decides what is accepted."""

from __future__ import annotations

import ast
import binascii
import codecs
import hmac
import json
import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Any, cast

from rmz_async.errors import ConfigurationError, SignatureError
from rmz_async.webhooks._headers import Headers, signature_and_request_id
from rmz_async.webhooks._reading import DISCORD
from rmz_async.webhooks._secrets import MIN_SECRET, QUOTES, Secrets, fault_of
from rmz_async.webhooks._verifying import MAX_BODY

__all__ = ("diagnose",)

_CHARSETS = ("latin-1", "cp1252", "cp1256", "utf-16", "utf-16-le", "utf-16-be")


def diagnose(body: bytes | str, headers: Headers | None, *, secrets: Secrets) -> tuple[str, ...]:
    """Return which of the usual mistakes explain that `verify` refuses a delivery.

    Use this while you develop. The body is changed in many ways until a signature fits, so the
    result says nothing about who sent the delivery.

    Args:
        body: The body as you passed it to `verify`.
        headers: The headers as you passed them.
        secrets: The secrets as you passed them, however wrong.

    Returns:
        Sentences, the most likely mistake first, without any secret; empty if the signature fits.
    """
    try:
        signature, _ = signature_and_request_id(headers)
    except SignatureError as error:
        return (f"{error}: look at what stands between RMZ and this application",)
    except ConfigurationError as error:
        return (str(error),)
    if not isinstance(cast("object", body), (bytes, bytearray, memoryview, str)):
        return (*_about_type(body),)
    raw = body.encode(errors="surrogatepass") if isinstance(body, str) else bytes(body)
    if len(raw) > MAX_BODY:
        return (f"the body has more than {MAX_BODY} bytes: RMZ did not send it",)
    readable, about_secrets = _readable(secrets)
    found = [*about_secrets, *_about_format(raw), *_about_type(body)]
    if signature is None:
        found.append(
            "there is no Signature header: signing is off for this webhook (RMZ's default), or a "
            "proxy removed the header; switch signing on in the dashboard"
        )
        return tuple(found)
    if not re.fullmatch("[0-9A-Fa-f]{64}", signature):
        found.append(
            "the signature is not 64 hexadecimal digits: RMZ sends no prefix such as sha256= and "
            "no base64, so something else wrote or changed the header"
        )
        signature = _as_hex(signature)
    if not readable:
        return tuple(found)
    explained = list(dict.fromkeys(_explanations(raw, signature.lower(), readable)))
    if explained == [_FITS]:
        return (*found, *_refused(readable))
    return (*(explained or _unexplained(raw, readable)), *found)


_FITS = ""

# Blanks and invisible letters at both ends.
_NO_LETTERS = r"^[\s\u200b-\u200f\u2060\ufeff]+|[\s\u200b-\u200f\u2060\ufeff]+$"


def _readable(given: object) -> tuple[Sequence[str], Sequence[str]]:
    """Return the secrets as strings, in their places, and the mistakes in how they were passed."""
    if callable(given):
        try:
            given = given()
        except Exception as error:  # noqa: BLE001 - the message might show a secret
            return (), (f"secrets: the callable raised {type(error).__name__}",)
    if isinstance(given, (str, bytes)):
        given, found = [given], ["secrets: must be a list; put the secret into brackets"]
    elif isinstance(given, Sequence) and given:
        found = []
    else:
        return (), (
            "secrets: must be a list of at least one secret, or a callable that returns it",
        )
    readable: list[str] = []
    for index, secret in enumerate(cast("Sequence[object]", given)):
        if isinstance(secret, str):
            readable.append(secret)
            continue
        found.append(f"secrets[{index}]: must be a string, and is of type {type(secret).__name__}")
        readable.append(secret.decode("latin-1") if isinstance(secret, bytes) else "")
    return readable, found


def _refused(secrets: Sequence[str]) -> Iterator[str]:
    for index, secret in enumerate(secrets):
        fault = fault_of(secret)
        if fault:
            yield f"secrets[{index}]: {fault}"


def _explanations(body: bytes, signature: str, secrets: Sequence[str]) -> Iterator[str]:
    for index, given in enumerate(secrets):
        for secret, about_secret in _secret_variants(index, given):
            for variant, about_body in _body_variants(body):
                made = hmac.digest(secret.encode(errors="replace"), variant, "sha256").hex()
                if made == signature:
                    yield "; ".join(filter(None, (about_secret, about_body)))
                    return


def _secret_variants(index: int, secret: str) -> Iterator[tuple[str, str]]:
    yield secret, _FITS
    bare = re.sub(_NO_LETTERS, "", secret).strip(QUOTES).strip()
    if bare != secret:
        yield bare, f"secrets[{index}] has a blank, a line break or quotes around it: remove them"
    name, sign, value = bare.partition("=")
    if sign:
        yield value.strip().strip(QUOTES), f"secrets[{index}] begins with {name}=: remove it"
    for part in bare.split(",") if "," in bare else ():
        yield part.strip(), f"secrets[{index}] holds several secrets: make a list of them"
    for changed in (secret.lower(), secret.upper()):
        if changed != secret:
            yield changed, f"secrets[{index}] is in another case than the webhook's secret"


def _body_variants(body: bytes) -> Iterator[tuple[bytes, str]]:
    yield body, _FITS
    ending = "the body has a line break or blanks at its end, or lost them: pass the raw bytes"
    for changed in (body.rstrip(), body + b"\n", body + b"\r\n"):
        yield changed, ending
    yield body.replace(b"\r\n", b"\n"), "line breaks were changed: pass the raw bytes"
    yield body.removeprefix(codecs.BOM_UTF8), "a byte order mark was added: pass the raw bytes"
    charset = "the body was decoded and encoded in another charset: pass the raw bytes"
    for name in _CHARSETS:
        # The first direction undoes a wrong decoding, the second a wrong encoding.
        for source, target in (("utf-8", name), (name, "utf-8")):
            try:
                yield body.decode(source).encode(target), charset
            except UnicodeError:
                continue
    for changed in _unwrapped(body):
        yield changed, "the body was written as base64 or as Python's b'…': pass the raw bytes"
    for changed in _rewritten(body):
        yield changed, "the body was parsed and written again as JSON: pass the raw bytes"


def _unwrapped(body: bytes) -> Iterator[bytes]:
    """Yield what a gateway has written as base64, or ``str(body)`` as a literal."""
    with suppress(ValueError):
        yield binascii.a2b_base64(body, strict_mode=True)
    if body[:2] in (b"b'", b'b"'):
        with suppress(ValueError, SyntaxError, MemoryError):
            literal: object = ast.literal_eval(body.decode())
            if isinstance(literal, bytes):
                yield literal


def _rewritten(body: bytes) -> Iterator[bytes]:
    """Yield the ways in which PHP may have written the JSON of *body*."""
    try:
        value: Any = json.loads(body)
    except (ValueError, RecursionError):
        return
    for ascii_only in (True, False):
        plain = json.dumps(value, ensure_ascii=ascii_only, separators=(",", ":"))
        for text in (plain, plain.replace("/", "\\/")):
            yield text.encode(errors="surrogatepass")
            # PHP writes an empty object as a list.
            yield text.replace("{}", "[]").encode(errors="surrogatepass")


def _unexplained(body: bytes, secrets: Sequence[str]) -> tuple[str, ...]:
    if not body:
        return ("the body is empty: something read it before; pass the raw bytes",)
    found: list[str] = []
    short = [index for index, secret in enumerate(secrets) if len(secret) < MIN_SECRET]
    if short:
        places = ", ".join(f"secrets[{index}]" for index in short)
        found.append(f"{places} is shorter than {MIN_SECRET} characters, so part of it is missing")
    if re.search(rb'"\s*:\s+|,\s+"', body):
        found.append(
            "the JSON has blanks between its parts, and RMZ's has none: the body was parsed and "
            "written again; pass the raw bytes"
        )
    if "\ufffd".encode() in body:
        found.append("the body was decoded, and letters were lost: pass the raw bytes")
    found.append(
        "another secret signed this body: each webhook has its own, every enabled webhook gets "
        "every event, and a regenerated secret replaces the old one immediately. If the secret is "
        "the right one, the body was changed on its way: pass the raw bytes"
    )
    return tuple(found)


def _about_format(body: bytes) -> Iterator[str]:
    if b'"embeds"' in body:
        yield DISCORD


def _about_type(body: object) -> Iterator[str]:
    if not isinstance(body, bytes):
        yield f"the body is a {type(body).__name__}: pass the raw bytes of the request"


def _as_hex(signature: str) -> str:
    bare = signature.strip().strip(QUOTES).removeprefix("sha256=")
    try:
        return binascii.a2b_base64(bare, strict_mode=True).hex() if "=" in bare else bare
    except ValueError:
        return bare
