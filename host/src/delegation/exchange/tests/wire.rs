//! What each profile writes, byte for byte.

use super::*;

fn wire(profile: ExchangeProfile, scope: &str, actor_token: Option<&str>) -> Vec<String> {
    let form = Form {
        audience: "orders",
        scope,
        subject_token: "SUBJECT",
        actor_token,
    };
    form.of(profile)
        .into_iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect()
}

#[test]
fn each_profile_says_exactly_what_its_authorization_server_expects() {
    let rfc8693 = [
        "grant_type=urn:ietf:params:oauth:grant-type:token-exchange",
        "subject_token=SUBJECT",
        "subject_token_type=urn:ietf:params:oauth:token-type:access_token",
        "requested_token_type=urn:ietf:params:oauth:token-type:access_token",
        "audience=orders",
    ];
    assert_eq!(wire(ExchangeProfile::Rfc8693, "", None), rfc8693);
    let with_actor = [
        "scope=orders:read",
        "actor_token=HOST",
        "actor_token_type=urn:ietf:params:oauth:token-type:access_token",
    ];
    let all: Vec<_> = rfc8693.iter().chain(&with_actor).copied().collect();
    assert_eq!(
        wire(ExchangeProfile::Rfc8693, "orders:read", Some("HOST")),
        all
    );
    let entra = [
        "grant_type=urn:ietf:params:oauth:grant-type:jwt-bearer",
        "assertion=SUBJECT",
        "requested_token_use=on_behalf_of",
        "scope=api://orders/Orders.Read",
    ];
    assert_eq!(
        wire(ExchangeProfile::EntraObo, "api://orders/Orders.Read", None),
        entra
    );
}
