//! Tokens with wrong headers or signatures.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::Result;
use serde_json::json;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use super::tokens::{Needs, Row};
use crate::resource_server::case::{Case, Outcome};
use crate::resource_server::mint::{Minted, Signer};
use crate::resource_server::suite::{Expect, Suite};

/// Headers and signatures.
pub(super) const CASES: &[Row] = &[
    Row::refused(
        Case::must(
            "a token that a stranger signed under the issuer's key name is refused",
            "RFC 9068 §4; RFC 8725 §3.3",
        ),
        |order, _| order.signed_by(Signer::Stranger),
    )
    .of(Needs::Jwt),
    Row::refused(
        Case::must(
            "a token without a signature is refused",
            "RFC 9068 §4; RFC 8725 §3.2",
        ),
        |order, _| order.signed_by(Signer::Nobody),
    )
    .of(Needs::Jwt),
    Row::refused(
        Case::must("the algorithm none in capitals is refused", "RFC 8725 §3.2"),
        |order, _| order.signed_by(Signer::Nobody).header("alg", "NONE"),
    )
    .of(Needs::Jwt),
    Row::refused(
        Case::must(
            "the algorithm none in mixed case is refused",
            "RFC 8725 §3.2",
        ),
        |order, _| order.signed_by(Signer::Nobody).header("alg", "nOnE"),
    )
    .of(Needs::Jwt),
    Row::refused(
        Case::must(
            "an unsigned token without an algorithm is refused",
            "RFC 7515 §4.1.1",
        ),
        |order, _| order.signed_by(Signer::Nobody).header("alg", json!(null)),
    )
    .of(Needs::Jwt),
    Row::refused(
        Case::must(
            "a keyed hash with the public key as its secret is refused",
            "RFC 8725 §3.1; RFC 9068 §4",
        ),
        |order, _| order.signed_by(Signer::PublicKey),
    )
    .of(Needs::Jwt),
    Row::refused(
        Case::must(
            "a header that names another algorithm is refused",
            "RFC 8725 §3.1",
        ),
        |order, _| order.header("alg", "HS256"),
    )
    .of(Needs::Jwt),
    Row::refused(
        Case::must(
            "a header without an algorithm is refused",
            "RFC 7515 §4.1.1",
        ),
        |order, _| order.header("alg", json!(null)),
    )
    .of(Needs::Jwt),
    Row::refused(
        Case::must(
            "an unknown critical extension is refused",
            "RFC 7515 §4.1.11",
        ),
        |order, _| {
            let order = order.header("crit", json!(["https://other.example/must"]));
            order.header("https://other.example/must", true)
        },
    )
    .of(Needs::Jwt),
    Row::refused(
        Case::must(
            "a critical extension that the header does not have is refused",
            "RFC 7515 §4.1.11",
        ),
        |order, _| order.header("crit", json!(["absent"])),
    )
    .of(Needs::Jwt),
    Row::refused(
        Case::must(
            "a key that the token brings along is not used",
            "RFC 8725 §3.10; RFC 7515 §4.1.3",
        ),
        |order, _| order.signed_by(Signer::Stranger).embedding_the_key(),
    )
    .of(Needs::Jwt),
    Row::refused(
        Case::must(
            "a stranger's key under an unknown name is refused",
            "RFC 9068 §4",
        ),
        |order, _| {
            order
                .signed_by(Signer::Stranger)
                .header("kid", "no-such-key")
        },
    )
    .of(Needs::Jwt),
    Row::refused(
        Case::must("a key name that is a path is refused", "RFC 8725 §3.10"),
        |order, _| {
            order
                .signed_by(Signer::Stranger)
                .header("kid", "../../../../dev/null")
        },
    )
    .of(Needs::Jwt),
    Row::refused(
        Case::must("a key name that is a query is refused", "RFC 8725 §3.10"),
        |order, _| {
            let query = "x' UNION SELECT 'secret' --";
            order.signed_by(Signer::Stranger).header("kid", query)
        },
    )
    .of(Needs::Jwt),
    Row::refused(
        Case::must(
            "a key name of four thousand bytes is refused",
            "RFC 8725 §3.10",
        ),
        |order, _| {
            order
                .signed_by(Signer::Stranger)
                .header("kid", "k".repeat(4_000))
        },
    )
    .of(Needs::Jwt),
    Row::refused(
        Case::must("a key name that is a number is refused", "RFC 7515 §4.1.4"),
        |order, _| order.signed_by(Signer::Stranger).header("kid", 7),
    )
    .of(Needs::Jwt),
    Row::refused(
        Case::must(
            "a token of the type JWT is refused where good ones are at+jwt",
            "RFC 9068 §4",
        ),
        |order, _| order.header("typ", "JWT"),
    )
    .of(Needs::AtJwt),
    Row::refused(
        Case::must(
            "a token without a type is refused where good ones are at+jwt",
            "RFC 9068 §4",
        ),
        |order, _| order.header("typ", json!(null)),
    )
    .of(Needs::AtJwt),
    Row::refused(
        Case::must("a logout token is refused", "RFC 9068 §4; RFC 8725 §3.11"),
        |order, _| order.header("typ", "logout+jwt"),
    )
    .of(Needs::AtJwt),
    Row::refused(
        Case::must("a security event is refused", "RFC 9068 §4; RFC 8725 §3.11"),
        |order, _| order.header("typ", "secevent+jwt"),
    )
    .of(Needs::AtJwt),
    Row::refused(
        Case::must(
            "a proof of possession is refused",
            "RFC 9068 §4; RFC 8725 §3.11",
        ),
        |order, _| order.header("typ", "dpop+jwt"),
    )
    .of(Needs::AtJwt),
    Row::refused(
        Case::must("a refresh token is refused", "RFC 9068 §4; RFC 8725 §3.11"),
        |order, _| order.header("typ", "refresh+jwt").claim("typ", "Refresh"),
    )
    .of(Needs::AtJwt),
    Row::refused(
        Case::should(
            "a refresh token that is told by its claim alone is refused",
            "RFC 8725 §3.12",
        ),
        |order, _| order.claim("typ", "Refresh"),
    )
    .of(Needs::PlainJwt),
    Row::accepted(
        Case::must(
            "the type may be written with application/ before it",
            "RFC 9068 §4; RFC 7515 §4.1.9",
        ),
        |order, _| order.header("typ", "application/at+jwt"),
    )
    .of(Needs::AtJwt),
    Row::accepted(
        Case::must(
            "a member of the header that no one knows changes nothing",
            "RFC 7515 §4",
        ),
        |order, _| order.header("https://other.example/member", json!({"a": 1})),
    )
    .of(Needs::Jwt),
];

/// Tries tokens that say where their key is, with a trap there. The trap notices only servers that
/// can reach the machine of the suite.
pub(super) async fn keys_elsewhere(suite: &mut Suite<'_>) -> Result<()> {
    let trap = Trap::set().await?;
    let mut orders = Vec::new();
    for member in ["jku", "x5u"] {
        for name in [None, Some("key-of-the-trap")] {
            let order = suite.order().signed_by(Signer::Stranger);
            let order = order.header(member, format!("{}/{member}", trap.url));
            orders.push(match name {
                Some(name) => order.header("kid", name),
                None => order,
            });
        }
    }
    let mut asks = Vec::new();
    for order in orders {
        match suite.mint(&order).await? {
            Minted::Token(token) => asks.push(suite.probe.ask().bearer(&token)?),
            Minted::Unable(why) => {
                for case in [ELSEWHERE, TRAP] {
                    suite.note(case, Outcome::NotTried(why.clone()));
                }
                return Ok(());
            }
        }
    }
    if let Some(why) = Needs::Jwt.missing(suite) {
        for case in [ELSEWHERE, TRAP] {
            suite.note(case, Outcome::NotTried(why.to_owned()));
        }
        return Ok(());
    }
    suite.refuses(ELSEWHERE, asks, Expect::Unauthorized).await?;
    let caught = trap.caught.load(Ordering::SeqCst);
    let outcome = Outcome::of(caught == 0, || {
        format!("expected no connection, came {caught}")
    });
    suite.note(TRAP, outcome);
    Ok(())
}

/// A listener that counts who connects.
struct Trap {
    url: String,
    caught: Arc<AtomicUsize>,
    _listener: JoinSet<()>,
}

impl Trap {
    async fn set() -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}", listener.local_addr()?);
        let caught = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&caught);
        let mut listening = JoinSet::new();
        listening.spawn(async move {
            while listener.accept().await.is_ok() {
                count.fetch_add(1, Ordering::SeqCst);
            }
        });
        Ok(Self {
            url,
            caught,
            _listener: listening,
        })
    }
}

const ELSEWHERE: Case = Case::must(
    "a stranger's token that says where its key is is refused",
    "RFC 8725 §3.10; RFC 7515 §4.1.2, §4.1.5",
);
const TRAP: Case = Case::must(
    "no key is fetched from where a token says",
    "RFC 8725 §3.10",
);
