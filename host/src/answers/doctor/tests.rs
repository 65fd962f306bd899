#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::sync::Arc;

use http::{HeaderMap, HeaderValue, header};
use rustls::RootCertStore;
use serde_json::json;

use super::super::testing::{CONFIG, HELLO, Site, component, config};
use super::*;
use crate::audit::{DenialAdded, Detail, HostStopped, Journal};
use crate::delegation::Auth;
use crate::egress::Tls;
use crate::egress::testing::{AUTHORITY, CLIENT, CLIENT_KEY, loopback, peer};
use crate::envelope::{HostKeys, make_key};
use crate::seams::{Clock, SystemClock, SystemRandom};
use crate::tokens::testing::{Hands, Issuer};
use crate::tokens::{ClientProof, ClientSettings};

fn of<'c>(found: &'c [Checkup], about: &str) -> &'c Checkup {
    found.iter().find(|one| one.about == about).unwrap()
}

/// Examines a site on a disk with room, whatever this machine's has.
fn local(config: &Config) -> Vec<Checkup> {
    local::local(config, |_| Some(1 << 40))
}

#[test]
fn a_site_before_its_first_start_is_in_order() {
    let site = Site::new(CONFIG, &[("hello", component(&[HELLO]))]);
    let found = local(&config(&site));
    assert!(
        found
            .iter()
            .all(|one| one.condition == Condition::Good && one.remedy.is_none()),
        "{found:#?}"
    );
    assert!(
        of(&found, "keys")
            .found
            .contains("the first start makes it")
    );
}

#[test]
fn a_disk_with_little_room_is_doubtful_for_each_folder_on_it() {
    let site = Site::new(CONFIG, &[("hello", component(&[HELLO]))]);
    let settings = config(&site);
    for (room, expected) in [
        (Some(1 << 30), Condition::Good),
        (Some((1 << 30) - 1), Condition::Doubtful),
        (Some(0), Condition::Doubtful),
        // The system does not know.
        (None, Condition::Good),
    ] {
        let found = local::local(&settings, |_| room);
        for about in ["audit.folder", "audit.memory", "server.cache"] {
            let one = of(&found, about);
            assert_eq!(one.condition, expected, "{room:?}: {one}");
        }
    }
    let disk = settings.server.tools.parent().unwrap();
    assert!(local::room(disk).is_some(), "a real disk is measured");
}

#[test]
fn each_fault_on_the_machine_is_found_with_its_remedy() {
    let site = Site::new(CONFIG, &[]);
    let settings = config(&site);
    let keys = &settings.envelope.keys;
    fs::create_dir(keys).unwrap();
    fs::set_permissions(keys, Permissions::from_mode(0o700)).unwrap();
    let closed = |name: &str, bytes: &[u8]| {
        fs::write(keys.join(name), bytes).unwrap();
        fs::set_permissions(keys.join(name), Permissions::from_mode(0o600)).unwrap();
    };
    make_key(&keys.join("envelope.pem"), &SystemRandom).unwrap();
    closed("mac.key", &[7; 32]);
    let found = local(&settings);
    let told = &of(&found, "keys").found;
    assert!(
        told.contains("has 2 of 6 keys, not transaction.pem, journal.pem"),
        "{found:#?}"
    );
    // What would end a start is bad here, also in the key before the present one.
    for (name, bytes) in [
        ("transaction.pem", "-----BEGIN RSA PRIVATE KEY-----"),
        ("cache.key", "34 bytes, which are two too many!!"),
        ("envelope.old.pem", "x"),
    ] {
        closed(name, bytes.as_bytes());
        let found = local(&settings);
        let one = of(&found, "keys");
        assert_eq!(one.condition, Condition::Bad, "{name}: {one}");
        assert!(one.found.contains(name), "{one}");
        fs::remove_file(keys.join(name)).unwrap();
    }
    assert_eq!(of(&found, "server.tools").condition, Condition::Doubtful);

    fs::set_permissions(keys.join("mac.key"), Permissions::from_mode(0o644)).unwrap();
    fs::create_dir(&settings.audit.folder).unwrap();
    fs::write(
        settings.audit.folder.join("checkpoint"),
        "nothing of the kind",
    )
    .unwrap();
    fs::write(settings.denials().path(), "{").unwrap();
    let found = local(&settings);
    for about in ["keys", "journal", "denials"] {
        let one = of(&found, about);
        assert_eq!(one.condition, Condition::Bad, "{one}");
        assert!(
            one.remedy.as_ref().is_some_and(|remedy| remedy.len() > 10),
            "{one}"
        );
    }
    assert!(of(&found, "keys").found.contains("mac.key"));
}

#[tokio::test]
async fn a_journal_and_its_denials_are_judged_as_a_start_judges_them() {
    let site = Site::new(CONFIG, &[("hello", component(&[HELLO]))]);
    let settings = config(&site);
    let (folder, place) = (&settings.envelope.keys, &settings.audit.folder);
    let keys = HostKeys::open(folder, &SystemRandom, &settings.server.trust).unwrap();
    let clock = Arc::new(SystemClock);
    let (journal, _) = Journal::open(settings.journal(), keys.journal, clock).unwrap();
    let detail = Detail::from_iter([("change", 7)]);
    let denial = "d7".into();
    let added = DenialAdded { denial, detail };
    journal.record(added).await.unwrap();
    let found = local(&settings);
    assert!(of(&found, "journal").found.contains("a host runs"));
    journal.close(HostStopped {}).await.unwrap();
    drop(journal);

    let found = local(&settings);
    let good = of(&found, "journal");
    assert_eq!(good.condition, Condition::Good, "{good}");
    assert!(good.found.contains("go on after record"), "{good}");
    // The journal knows of a change of a list that is gone.
    let lost = of(&found, "denials");
    assert_eq!(lost.condition, Condition::Bad, "{lost}");
    assert!(lost.found.contains("is missing"), "{lost}");
    let remedy = lost.remedy.as_deref().unwrap_or_default();
    assert!(remedy.contains("bailiwick deny --adopt"), "{lost}");

    let memory = fs::read_dir(&settings.audit.memory).unwrap();
    let memory = memory.map(|entry| entry.unwrap().path());
    let mut memory = memory.filter(|path| path.extension().is_some_and(|end| end == "memory"));
    let memory = memory.next().unwrap();
    for (path, expected) in [
        (place.join("checkpoint"), "checkpoint"),
        (place.join("checkpoints.jsonl"), "checkpoint"),
        (place.join("journal-00000001.jsonl"), "has signed"),
        (memory, "remembers none"),
        (folder.join("journal.pem"), "belongs to the key"),
    ] {
        let aside = path.with_extension("aside");
        fs::rename(&path, &aside).unwrap();
        let found = local(&settings);
        let journal = of(&found, "journal");
        assert_eq!(journal.condition, Condition::Bad, "{journal}");
        assert!(journal.found.contains(expected), "{journal}");
        assert!(!path.exists(), "the doctor makes {}", path.display());
        fs::rename(aside, path).unwrap();
    }
    let found = local(&settings);
    assert_eq!(of(&found, "journal").condition, Condition::Good);
}

#[test]
fn dates_of_http_are_read() {
    for (text, expected) in [
        ("Sun, 06 Nov 1994 08:49:37 GMT", Some(784_111_777)),
        ("Thu, 01 Jan 1970 00:00:00 GMT", Some(0)),
        ("Sunday, 06-Nov-94 08:49:37 GMT", None),
        ("Sun, 06 Nov 1994 08:49:37 CET", None),
        ("Sun, 31 Feb 1994 08:49:37 GMT", None),
        ("", None),
    ] {
        let mut headers = HeaderMap::new();
        headers.insert(header::DATE, HeaderValue::from_static(text));
        assert_eq!(online::date(&headers), expected, "{text}");
    }
}

/// Returns the configuration of an issuer that is asked about its tokens at `url`.
fn asked_at(url: &str) -> Config {
    let more = format!(
        "jwks_file = \"jwks.json\"\nopaque = true\nintrospection = {{ endpoint = \"{url}\", \
         client_id = \"host\", client_secret_file = \"secret\", \
         private_addresses = [\"127.0.0.0/8\"] }}"
    );
    let text = CONFIG.replacen("jwks_file = \"jwks.json\"", &more, 1);
    config(&Site::new(&text, &[]))
}

#[tokio::test]
async fn an_introspection_endpoint_is_asked_about_a_made_up_token() {
    let clock: Arc<dyn Clock> = Hands::at(1_763_712_000);
    let (issuer, _keys) = Issuer::start(&clock).await;
    let tls = Tls::new(RootCertStore::empty()).unwrap();
    let mut tokens = Vec::new();
    for (status, body, told) in [
        ("200 OK", r#"{"active":false}"#, "is not active"),
        ("200 OK", r#"{"active":true}"#, "believe nothing"),
        ("200 OK", "<html>", "set introspection.endpoint"),
        ("404 Not Found", "", "set introspection.endpoint"),
        (
            "401 Unauthorized",
            r#"{"error":"invalid_client"}"#,
            "compare introspection.client_id",
        ),
        ("403 Forbidden", "", "compare introspection.client_id"),
        ("503 Service Unavailable", "", "the issuer's log"),
    ] {
        issuer.answer(status, body);
        let settings = asked_at(issuer.url());
        let found = online::introspection(&settings.issuers[0], &tls, &clock).await;
        let found = found.unwrap();
        assert!(found.to_string().contains(told), "{found}");
        assert!(found.to_string().contains(issuer.url()), "{found}");
        let good = found.condition == Condition::Good && found.remedy.is_none();
        assert_eq!(good, body.contains("false"), "{found}");
        assert_eq!(found.about, "introspection of https://idp.example.com");
        assert!(!found.to_string().contains("s3cret"), "{found}");
        tokens.push(
            issuer
                .last_request()
                .rsplit_once("\r\n\r\n")
                .unwrap()
                .1
                .to_owned(),
        );
    }
    tokens.dedup();
    assert_eq!(tokens.len(), 7, "each token is made up anew: {tokens:?}");

    // A port on which no one listens: it was free a moment ago.
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", free.local_addr().unwrap());
    drop(free);
    let found = online::introspection(&asked_at(&url).issuers[0], &tls, &clock).await;
    let found = found.unwrap();
    assert_eq!(found.condition, Condition::Bad);
    assert!(
        found
            .to_string()
            .contains("can reach introspection.endpoint"),
        "{found}"
    );

    let without = config(&Site::new(CONFIG, &[]));
    let found = online::introspection(&without.issuers[0], &tls, &clock).await;
    assert_eq!(found, None, "nothing to ask");
}

#[tokio::test]
async fn the_host_s_own_token_for_the_policy_point_is_asked_for_too() {
    let clock: Arc<dyn Clock> = Hands::at(1_763_712_000);
    let (issuer, _keys) = Issuer::start(&clock).await;
    let tls = Tls::new(RootCertStore::empty()).unwrap();
    let text = format!(
        "{CONFIG}\n[policy_point]\nendpoint = \"https://pdp.example.com/access/v1/evaluation\"\n\n\
         [policy_point.auth]\nkind = \"client_credentials\"\ntoken_endpoint = \"{}\"\n\
         private_addresses = [\"127.0.0.0/8\"]\nclient_id = \"bailiwick\"\n\
         client_secret_file = \"secret\"\n",
        issuer.url()
    );
    let settings = config(&Site::new(&text, &[]));
    let auth = &settings.policy_point.as_ref().unwrap().auth;
    for (status, body, good, told) in [
        (
            "200 OK",
            r#"{"access_token":"t","token_type":"Bearer","expires_in":60}"#,
            true,
            "issues the host's own token",
        ),
        (
            "401 Unauthorized",
            r#"{"error":"invalid_client"}"#,
            false,
            "no request leaves; asked",
        ),
    ] {
        issuer.answer(status, body);
        let about = ("policy_point.auth", "no request leaves");
        let found = online::own_token(about, auth, (&tls, &clock)).await;
        let found = found.unwrap();
        assert_eq!(found.condition == Condition::Good, good, "{found}");
        assert!(found.to_string().contains(told), "{found}");
    }
    let none = online::own_token(("", ""), &Auth::None, (&tls, &clock)).await;
    assert_eq!(none, None, "nothing to ask for");
}

#[tokio::test]
async fn an_endpoint_that_is_not_for_certificates_is_told_apart_by_the_metadata() {
    let clock: Arc<dyn Clock> = Hands::at(1_763_712_000);
    let issuer = Issuer::start_for_certificates().await;
    let tls = Tls::new(RootCertStore::empty()).unwrap();
    let name = issuer.url().trim_end_matches("/jwks");
    let other = "https://mtls.example.com/token";
    let set = format!("set token_endpoint to {other}");
    let compare = "compare client_id and the certificate";
    for (named, alias, told) in [
        (name, json!({"token_endpoint": other}), set.as_str()),
        (name, json!({"token_endpoint": issuer.url()}), compare),
        (name, json!({"introspection_endpoint": other}), compare),
        (name, json!({"token_endpoint": [other]}), compare),
        (
            name,
            json!({"token_endpoint": "http://mtls.example.com/token"}),
            compare,
        ),
        (name, json!(other), compare),
        (
            "https://evil.example",
            json!({"token_endpoint": other}),
            compare,
        ),
    ] {
        let mut settings = config(&Site::new(CONFIG, &[]));
        let service = &mut settings.services[0];
        let exchange = service.exchange.as_mut().unwrap();
        let url = issuer.url().parse().unwrap();
        let proof = ClientProof::Certificate([0; 32]);
        exchange.client = ClientSettings::new(url, loopback(), "bailiwick".into(), proof)
            .with_tls(peer(AUTHORITY, Some((CLIENT, CLIENT_KEY))));
        exchange.issued.issuer = name.to_owned();
        // The refusal is the metadata too.
        let body = json!({
            "error": "invalid_client", "issuer": named, "mtls_endpoint_aliases": alias
        });
        issuer.answer("200 OK", &body.to_string());
        let found = online::tokens(service, &tls, &clock).await;
        let found = of(&found, "services.orders_api.exchange");
        assert_eq!(found.condition, Condition::Bad, "{found}");
        assert!(found.to_string().contains(told), "{alias}: {found}");
    }
}

#[tokio::test]
async fn a_refusal_that_may_be_about_the_secret_says_so() {
    const WRONG: &str = r#"{"error":"invalid_client"}"#;
    const EITHER: &str = r#"{"error":"unauthorized_client"}"#;
    const TOKEN: &str = r#"{"access_token":"t","token_type":"Bearer","expires_in":60}"#;
    let clock: Arc<dyn Clock> = Hands::at(1_763_712_000);
    let (issuer, _keys) = Issuer::start(&clock).await;
    let tls = Tls::new(RootCertStore::empty()).unwrap();
    let endpoint = format!(
        "token_endpoint = \"{}\"\nprivate_addresses = [\"127.0.0.0/8\"]\nactor = ",
        issuer.url()
    );
    let line = "token_endpoint = \"https://idp.example.com/token\"";
    for (actor, status, body, good, told) in [
        ("none", "200 OK", TOKEN, true, "knows the host's client"),
        (
            "none",
            "401 Unauthorized",
            EITHER,
            true,
            "or a wrong secret",
        ),
        (
            "none",
            "401 Unauthorized",
            WRONG,
            false,
            "compare client_id",
        ),
        (
            "client_credentials",
            "401 Unauthorized",
            EITHER,
            false,
            "compare client_id",
        ),
        (
            "client_credentials",
            "401 Unauthorized",
            WRONG,
            false,
            "compare client_id",
        ),
    ] {
        issuer.answer(status, body);
        let text = CONFIG.replacen(line, &format!("{endpoint}\"{actor}\""), 1);
        let settings = config(&Site::new(&text, &[]));
        let found = online::tokens(&settings.services[0], &tls, &clock).await;
        let found = of(&found, "services.orders_api.exchange");
        assert_eq!(found.condition == Condition::Good, good, "{found}");
        assert!(found.to_string().contains(told), "{found}");
    }
}
