//! The gate of the pages: the token in a file, or a cookie that stands for it.
//!
//! The token comes in `Authorization: Bearer` or, once, in a form. The form's answer is a cookie
//! with the time at which it ends and a MAC under the token, so that the token itself stays out of
//! the browser. A refusal costs two hashes, and nothing is kept of it.
//!
//! Invariant: what is presented is compared in constant time. The cookie's name and value are of
//! one token, so that of another host opens nothing, and one whose token was replaced neither.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use http::{HeaderMap, HeaderValue, header};
use maud::{Markup, html};
use sha2::Sha256;
use url::form_urlencoded;
use zeroize::Zeroizing;

use super::frame::PageFrame;
use crate::envelope::MacKey;
use crate::seams::hex;
use crate::transport::SIGN_IN;

/// The gate: who may read the pages.
pub struct PageGate(Option<MacKey>);

/// What the form says.
pub(super) struct SignInForm {
    pub(super) token: Zeroizing<String>,
    /// Where to go then.
    pub(super) to: String,
}

impl PageGate {
    /// Lets in whoever has this token.
    pub fn with_token(token: MacKey) -> Self {
        Self(Some(token))
    }

    /// Lets in everyone who reaches the listener.
    pub fn open() -> Self {
        Self(None)
    }

    /// Returns true if a request with these headers may read.
    pub(super) fn admits(&self, headers: &HeaderMap, now_ms: u64) -> bool {
        let Some(key) = &self.0 else {
            return true;
        };
        let mut bearers = headers.get_all(header::AUTHORIZATION).iter();
        match (bearers.next(), bearers.next()) {
            (None, _) => {}
            (Some(one), None) => {
                let bearer = one
                    .to_str()
                    .ok()
                    .and_then(|text| text.strip_prefix("Bearer "));
                return bearer.is_some_and(|token| is_token(key, token));
            }
            _ => return false,
        }
        let name = cookie_name(key);
        let cookies = headers.get_all(header::COOKIE).iter();
        let cookies = cookies.filter_map(|cookies| cookies.to_str().ok());
        let mut values = cookies
            .flat_map(|cookies| cookies.split(';'))
            .filter_map(|cookie| cookie.trim().split_once('='))
            .filter(|(found, _)| *found == name);
        values.any(|(_, value)| is_session(key, value, now_ms / 1000))
    }

    /// Returns the cookie for someone who presents the token.
    pub(super) fn cookie(&self, token: &str, now_ms: u64) -> Option<HeaderValue> {
        let key = self.0.as_ref().filter(|key| is_token(key, token))?;
        let end = now_ms / 1000 + SESSION;
        let (name, mac) = (
            cookie_name(key),
            URL_SAFE_NO_PAD.encode(session(key, end).finalize().into_bytes()),
        );
        let text = format!("{name}={end}.{mac}; Path=/; HttpOnly; SameSite=Strict");
        HeaderValue::try_from(text).ok()
    }
}

impl SignInForm {
    pub(super) fn read(body: &[u8]) -> Self {
        let (mut token, mut to) = (Zeroizing::default(), String::from("/"));
        for (name, value) in form_urlencoded::parse(body) {
            match &*name {
                "token" => token = Zeroizing::new(value.trim().to_owned()),
                "to" if is_here(&value) => to = value.into_owned(),
                _ => {}
            }
        }
        Self { token, to }
    }

    /// Returns the path to go to.
    pub(super) fn way(&self) -> HeaderValue {
        HeaderValue::try_from(&self.to).unwrap_or(HeaderValue::from_static("/"))
    }
}

/// Returns true if a path leads to these pages, and not to another host.
fn is_here(path: &str) -> bool {
    let rest = path.strip_prefix('/');
    rest.is_some_and(|rest| !rest.starts_with(['/', '\\']))
        && path.bytes().all(|byte| byte.is_ascii_graphic())
}

/// The form, which goes on to the path `to`. `refused` says that the token was wrong.
pub(super) fn sign_in(to: &str, refused: bool) -> Markup {
    let body = html! {
        form.gate method="post" action=(SIGN_IN) {
            h1 { "Sign in" }
            @if refused {
                p.problem role="alert" { "This is not the token of this host." }
            }
            p {
                "The token is in the file " code { "page.token" } " in the host’s key folder. "
                "The host prints the path when it starts."
            }
            label for="token" { "Token" }
            input #token name="token" type="password" autocomplete="off" spellcheck="false"
                required maxlength="64" autofocus;
            @if is_here(to) {
                input type="hidden" name="to" value=(to);
            }
            button type="submit" { "Sign in" }
        }
    };
    PageFrame::outside("Sign in").with(&body)
}

fn is_token(key: &MacKey, presented: &str) -> bool {
    let bytes = URL_SAFE_NO_PAD.decode(presented).map(Zeroizing::new);
    // Both are hashed, so the time says nothing about either.
    let own = mac(key, BEARER, key.bytes()).finalize().into_bytes();
    bytes.is_ok_and(|bytes| mac(key, BEARER, &bytes).verify(&own).is_ok())
}

fn is_session(key: &MacKey, value: &str, now: u64) -> bool {
    let Some((end, tag)) = value.split_once('.') else {
        return false;
    };
    let Ok(time) = end.parse::<u64>() else {
        return false;
    };
    let tag = URL_SAFE_NO_PAD.decode(tag).unwrap_or_default();
    session(key, time).verify_slice(&tag).is_ok() && now < time && time <= now + SESSION
}

fn session(key: &MacKey, end: u64) -> Hmac<Sha256> {
    mac(key, "session", &end.to_be_bytes())
}

/// Names the cookie after the token: browsers send one host's cookies to all its ports.
fn cookie_name(key: &MacKey) -> String {
    let tag = mac(key, "name", b"").finalize().into_bytes();
    format!("bailiwick-{}", hex(tag.get(..8).unwrap_or_default()))
}

#[expect(clippy::expect_used, reason = "HMAC takes keys of any length")]
fn mac(key: &MacKey, purpose: &str, text: &[u8]) -> Hmac<Sha256> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key.bytes()).expect("any key length");
    for part in ["bailiwick page v1\n", purpose, "\n"] {
        mac.update(part.as_bytes());
    }
    mac.update(text);
    mac
}

const BEARER: &str = "token";
/// The life of a cookie, in seconds.
const SESSION: u64 = 12 * 3600;

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;

    const NOW: u64 = 1_763_712_000_000;

    fn key(byte: u8) -> MacKey {
        MacKey::new(Zeroizing::new(vec![byte; 32])).unwrap()
    }

    fn token(byte: u8) -> String {
        URL_SAFE_NO_PAD.encode([byte; 32])
    }

    fn headers(name: &'static str, values: &[&str]) -> HeaderMap {
        let value = |text: &&str| (name.parse().unwrap(), text.parse().unwrap());
        values.iter().map(value).collect()
    }

    #[test]
    fn the_token_opens_the_gate_and_nothing_else_does() {
        let gate = PageGate::with_token(key(1));
        let bearer = |byte| format!("Bearer {}", token(byte));
        let (good, other) = (bearer(1), bearer(2));
        for (values, opens) in [
            (&[&*good][..], true),
            (&[&*other], false),
            (&[], false),
            (&[&*good, &*good], false),
            (&["Bearer "], false),
            (&["Bearer %"], false),
            (&[good.trim_start_matches("Bearer ")], false),
            (&[good.trim_end_matches('E')], false),
        ] {
            let headers = headers("authorization", values);
            assert_eq!(gate.admits(&headers, NOW), opens, "{values:?}");
            assert!(PageGate::open().admits(&headers, NOW));
        }
    }

    #[test]
    fn a_cookie_opens_the_gate_of_its_token_until_it_ends() {
        let gate = PageGate::with_token(key(1));
        assert!(gate.cookie(&token(2), NOW).is_none());
        let set = gate.cookie(&token(1), NOW).unwrap();
        let set = set.to_str().unwrap();
        assert!(!set.contains(&token(1)), "{set}");
        assert!(
            set.ends_with("; Path=/; HttpOnly; SameSite=Strict"),
            "{set}"
        );
        let cookie = set.split(';').next().unwrap();
        let (name, value) = cookie.split_once('=').unwrap();
        let (end, tag) = value.split_once('.').unwrap();
        let later = end.parse::<u64>().unwrap() + 1;
        let (second, whole) = (1000, SESSION * 1000);
        for (text, now, opens) in [
            (cookie.to_owned(), NOW, true),
            (format!("a=b; {cookie}; c"), NOW, true),
            (format!("{name}=x; {cookie}"), NOW, true),
            (cookie.to_owned(), NOW + whole - second, true),
            (cookie.to_owned(), NOW + whole, false),
            (cookie.to_owned(), NOW - 2 * second, false),
            (format!("{name}={later}.{tag}"), NOW, false),
            (format!("{name}={end}."), NOW, false),
            (format!("{name}={end}"), NOW, false),
            (format!("other={value}"), NOW, false),
        ] {
            let headers = headers("cookie", &[&text]);
            assert_eq!(gate.admits(&headers, now), opens, "{text} {now}");
        }
        let headers = headers("cookie", &[cookie]);
        assert!(
            !PageGate::with_token(key(2)).admits(&headers, NOW),
            "another host's"
        );
    }

    #[test]
    fn a_form_leads_nowhere_else() {
        for (body, token, to) in [
            ("token=a&to=%2Fcalls%2Fx%3Fa%3Db", "a", "/calls/x?a=b"),
            ("token=+a+&to=https://evil.example", "a", "/"),
            ("to=//evil.example", "", "/"),
            ("to=/%5Cevil.example", "", "/"),
            ("to=/%0d%0aSet-Cookie:x", "", "/"),
            ("", "", "/"),
        ] {
            let form = SignInForm::read(body.as_bytes());
            assert_eq!((&**form.token, &*form.to), (token, to), "{body}");
        }
    }
}
