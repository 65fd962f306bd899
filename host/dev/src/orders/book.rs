//! The existing orders.

use serde::Serialize;

/// An order of one customer.
#[derive(Clone, Copy, Debug, Serialize)]
pub(super) struct Order {
    pub(super) id: &'static str,
    pub(super) customer: &'static str,
    pub(super) status: &'static str,
    pub(super) item: &'static str,
}

const ORDERS: [Order; 3] = [
    Order {
        id: "A-1001",
        customer: "alice",
        status: "shipped",
        item: "a brass telescope",
    },
    Order {
        id: "A-1002",
        customer: "alice",
        status: "packed",
        item: "two sea charts",
    },
    Order {
        id: "A-2001",
        customer: "bob",
        status: "delivered",
        item: "a box of candles",
    },
];

/// Returns the order of this number.
pub(super) fn order(id: &str) -> Option<Order> {
    ORDERS.into_iter().find(|order| order.id == id)
}

/// Returns a customer's orders, of one status or all.
pub(super) fn of_customer(sub: &str, status: Option<&str>) -> Vec<Order> {
    ORDERS
        .into_iter()
        .filter(|order| order.customer == sub)
        .filter(|order| status.is_none_or(|status| status == order.status))
        .collect()
}
