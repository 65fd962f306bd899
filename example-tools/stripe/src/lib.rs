//! Stripe's charges and refunds. One key is one account, so what each user may do is decided here
//! and by the operator's rules, before Stripe sees a request.

use bailiwick_sdk::prelude::*;

#[derive(Deserialize, Serialize, JsonSchema)]
struct Charge {
    id: String,
    /// In the currency's smallest unit, such as cents.
    amount: i64,
    amount_refunded: i64,
    /// Such as `eur`.
    currency: String,
    /// `succeeded`, `pending` or `failed`.
    status: String,
}

#[derive(Deserialize, Serialize, JsonSchema)]
struct Charges {
    data: Vec<Charge>,
    /// True if there are older ones.
    has_more: bool,
}

#[derive(Deserialize, JsonSchema)]
struct Customer {
    /// Stripe's identifier.
    #[schemars(
        example = &"cus_NffrFeUfNV2Hib",
        regex(pattern = "^cus_[A-Za-z0-9]{1,64}$")
    )]
    customer: String,
}

/// Lists the latest charges of a customer.
#[bailiwick_sdk::tool(scopes = ["charges:read"], services = ["stripe"], read_only)]
fn list_charges(call: &Call, asked: Customer) -> Result<Charges, Error> {
    let request = call.service("stripe").get(["v1", "charges"]);
    let request = request.query("customer", asked.customer);
    request.query("limit", "20").send()?.json()
}

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Reason {
    Duplicate,
    Fraudulent,
    RequestedByCustomer,
}

impl Reason {
    fn name(&self) -> &'static str {
        match self {
            Self::Duplicate => "duplicate",
            Self::Fraudulent => "fraudulent",
            Self::RequestedByCustomer => "requested_by_customer",
        }
    }
}

#[derive(Deserialize, JsonSchema)]
struct Wanted {
    /// Stripe's identifier of the charge.
    #[schemars(
        example = &"ch_3MmlLrLkdIwHu7ix0snN0B15",
        regex(pattern = "^(ch|py)_[A-Za-z0-9]{1,64}$")
    )]
    charge: String,
    /// In the currency's smallest unit.
    #[schemars(range(min = 1, max = 99_999_999))]
    amount: u32,
    reason: Reason,
}

#[derive(Deserialize, Serialize, JsonSchema)]
struct Refund {
    id: String,
    amount: i64,
    currency: String,
    /// `pending`, `succeeded`, `failed` …
    status: String,
}

/// Refunds a charge, in whole or in part. Stripe keeps who asked beside the refund.
#[bailiwick_sdk::tool(scopes = ["refunds:write"], services = ["stripe"], destructive)]
fn refund(call: &Call, wanted: Wanted) -> Result<Refund, Error> {
    let form = [
        ("charge", wanted.charge.as_str()),
        ("amount", &wanted.amount.to_string()),
        ("reason", wanted.reason.name()),
        ("metadata[actor]", &call.actor().sub),
        ("metadata[agent]", &call.agent().id),
    ];
    let request = call.service("stripe").post(["v1", "refunds"]);
    request.form(form).send()?.json()
}

bailiwick_sdk::export!(list_charges, refund);

#[cfg(test)]
mod tests {
    use bailiwick_sdk::DownstreamError;
    use bailiwick_sdk::testing::Scene;

    use super::*;

    fn wanted() -> Wanted {
        Wanted {
            charge: "ch_1".to_owned(),
            amount: 500,
            reason: Reason::RequestedByCustomer,
        }
    }

    #[test]
    fn a_refund_says_who_asked_for_it() {
        let scene = Scene::new().actor("alice").on_send(|request| {
            let form = String::from_utf8_lossy(&request.body);
            let begin = "charge=ch_1&amount=500&reason=requested_by_customer&metadata%5Bactor%5D=alice";
            assert!(form.starts_with(begin), "{form}");
            Ok(Response::new(
                200,
                r#"{"id": "re_1", "object": "refund", "amount": 500, "currency": "eur", "status": "succeeded"}"#,
            ))
        });
        let id = refund(&scene.call(), wanted()).map(|refund| refund.id);
        assert_eq!(id.as_deref(), Ok("re_1"));
    }

    #[test]
    fn a_refund_that_may_have_been_made_is_not_offered_again() {
        let scene = Scene::new().on_send(|_| Err(DownstreamError::UnknownOutcome));
        let failed = refund(&scene.call(), wanted()).map(|refund| refund.id);
        assert!(
            matches!(&failed, Err(Error::Failed(text)) if text.contains("look before asking again")),
            "{failed:?}"
        );
    }
}
