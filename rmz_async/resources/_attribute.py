"""The resources of a client, declared on its class, where mocks and editors find them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, TypeVar, overload

C = TypeVar("C")
R = TypeVar("R")


class ResourceAttribute(Generic[C, R]):
    """A resource of a client, made when it is first asked for.

    On the class itself the attribute is the resource's class, so that ``create_autospec(Client)``
    has the resource's methods.

    Args:
        resource: The resource's class.
        make: Makes the resource of a client.
    """

    def __init__(self, resource: Callable[..., R], make: Callable[[C], R]) -> None:
        self._resource = resource
        self._make = make
        self._name = ""

    def __set_name__(self, owner: type[C], name: str) -> None:
        self._name = name

    @overload
    def __get__(self, client: None, owner: type[C]) -> Callable[..., R]: ...

    @overload
    def __get__(self, client: C, owner: type[C]) -> R: ...

    def __get__(self, client: Any, owner: type[C]) -> Callable[..., R] | R:
        if client is None:
            return self._resource
        # From now on the attribute of the client itself is found first.
        resource = vars(client)[self._name] = self._make(client)
        return resource
