//! Two tools, two kinds of authority: the balance is fetched as the user, the report as the host
//! itself.

use bailiwick_sdk::prelude::*;

#[derive(Deserialize, Serialize, JsonSchema)]
struct Balance {
    /// The balance, in hundredths of the currency.
    cents: i64,
    /// The currency, such as `EUR`.
    currency: String,
}

/// Says what is on the caller's own account.
#[bailiwick_sdk::tool(scopes = ["billing:read"], services = ["billing_api"], read_only)]
fn get_balance(call: &Call) -> Result<Balance, Error> {
    call.service("billing_api")
        .get(path!["accounts", Part::ActorSub])
        .send()?
        .json()
}

#[derive(Deserialize, JsonSchema)]
struct Args {
    /// The month as `YYYY-MM`.
    #[schemars(example = "2026-10", regex(pattern = "^[0-9]{4}-(0[1-9]|1[0-2])$"))]
    month: String,
}

#[derive(Deserialize, Serialize, JsonSchema)]
struct Report {
    month: String,
    /// The number of orders.
    orders: u32,
    /// Their revenue, in hundredths of a euro.
    revenue_cents: u64,
}

/// Sums up the orders of a month.
#[bailiwick_sdk::tool(scopes = ["reports:read"], services = ["reports_api"], read_only)]
fn monthly_report(call: &Call, args: Args) -> Result<Report, Error> {
    call.service("reports_api")
        .get(["reports", &args.month])
        .send()?
        .json()
}

bailiwick_sdk::export!(get_balance, monthly_report);
