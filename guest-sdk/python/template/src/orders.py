"""Tools about orders."""

from dataclasses import dataclass
from typing import Annotated

from bailiwick_sdk import Call, Field, tool


@dataclass
class Order:
    """An order, as the service has it; what it says beyond these members is left out."""

    id: str
    status: str


# The caller's token must have every scope. The operator decides whether, and on whose behalf, the
# tool reaches the service. It never sees a token or an address.
@tool(scopes=["orders:read"], services=["orders_api"], read_only=True)
def get_order_status(
    call: Call,
    order_id: Annotated[str, "The order's number.", Field(min_length=1)],
) -> Order:
    """Says where an order is."""
    return call.services["orders_api"].get("orders", order_id).json(Order)
