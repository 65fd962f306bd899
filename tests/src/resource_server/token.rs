//! Reading and damaging tokens that are JWTs.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};

/// A JWT in its three parts.
#[derive(Clone, Debug)]
pub(super) struct Jwt {
    parts: [String; 3],
    pub(super) header: Map<String, Value>,
    pub(super) claims: Map<String, Value>,
}

impl Jwt {
    /// Reads a token; none if it is not a compact JWS with JSON in it.
    pub(super) fn read(token: &str) -> Option<Self> {
        let parts: Vec<String> = token.split('.').map(str::to_owned).collect();
        let parts: [String; 3] = parts.try_into().ok()?;
        let [header, claims, _] = &parts;
        let object = |part: &str| serde_json::from_slice(&decode(part)?).ok();
        Some(Self {
            header: object(header)?,
            claims: object(claims)?,
            parts,
        })
    }

    /// Returns a claim's text; empty if it is none.
    pub(super) fn text(&self, claim: &str) -> &str {
        let value = self.claims.get(claim).and_then(Value::as_str);
        value.unwrap_or_default()
    }

    /// Returns the header's `typ` in lower case, without `application/`.
    pub(super) fn typ(&self) -> String {
        let typ = self.header.get("typ").and_then(Value::as_str);
        let typ = typ.unwrap_or_default().to_ascii_lowercase();
        typ.strip_prefix("application/").unwrap_or(&typ).to_owned()
    }

    /// Returns the header, claims and signature as they are written.
    pub(super) fn parts(&self) -> [&str; 3] {
        self.parts.each_ref().map(String::as_str)
    }

    /// Returns copies that each differ in one bit of one part, spread over that part.
    pub(super) fn flipped(&self, part: usize) -> Vec<String> {
        let bytes = self.parts.get(part).and_then(|part| decode(part));
        let bytes = bytes.unwrap_or_default();
        let step = (bytes.len() / FLIPS).max(1);
        let places = (0..bytes.len())
            .step_by(step)
            .chain(bytes.len().checked_sub(1));
        places
            .map(|place| {
                let mut changed = bytes.clone();
                if let Some(byte) = changed.get_mut(place) {
                    *byte ^= 1 << (place % 8);
                }
                self.with(part, &URL_SAFE_NO_PAD.encode(changed))
            })
            .collect()
    }

    /// Returns a copy with another part.
    pub(super) fn with(&self, part: usize, text: &str) -> String {
        let mut parts = self.parts();
        if let Some(part) = parts.get_mut(part) {
            *part = text;
        }
        parts.join(".")
    }
}

/// About how many bits are flipped in each part.
const FLIPS: usize = 12;

fn decode(part: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(part).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_flipped_token_differs_from_the_good_one_and_from_the_others() {
        let part = |text: &str| URL_SAFE_NO_PAD.encode(text);
        let token = format!(
            "{}.{}.{}",
            part("{\"a\":1}"),
            part("{\"b\":[1,2,3]}"),
            part("s!")
        );
        let jwt = Jwt::read(&token).unwrap_or_else(|| unreachable!("a token"));
        for place in 0..3 {
            let mut flipped = jwt.flipped(place);
            flipped.push(token.clone());
            let all = flipped.len();
            flipped.sort();
            flipped.dedup();
            assert!(
                flipped.len() > 2 && flipped.len() + 1 >= all,
                "part {place}"
            );
        }
        assert!(Jwt::read("an-opaque-token").is_none());
    }
}
