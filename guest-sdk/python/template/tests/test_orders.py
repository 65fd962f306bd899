"""The tools without a host: a scene plays the user and the services."""

import pytest
from bailiwick_sdk import Forbidden, Response
from bailiwick_sdk.testing import Scene, Sent

from orders import Order, get_order_status


def orders(request: Sent) -> Response:
    """Plays the service: it knows one order."""
    if request.path == ["orders", "A-1001"]:
        return Response.of(200, {"id": "A-1001", "status": "shipped", "internal": "left out"})
    return Response.of(403)


def test_an_order_is_found() -> None:
    call = Scene().on_send(orders).call()
    assert get_order_status(call, "A-1001") == Order("A-1001", "shipped")


def test_the_order_of_someone_else_is_refused() -> None:
    call = Scene().actor("bob").on_send(orders).call()
    with pytest.raises(Forbidden):
        get_order_status(call, "A-2001")
