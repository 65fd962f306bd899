//! The parts that the tests of answers, and of the commands that print them, share: components made
//! on the spot, tokens, and a folder to serve.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use ed25519_dalek::{Signer as _, SigningKey};
use serde_json::{Value, json};
use tempfile::TempDir;
use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

/// A tool of a component that describes it and does nothing else.
#[derive(Clone, Copy)]
pub(crate) struct Offered {
    pub(crate) name: &'static str,
    pub(crate) description: &'static str,
    pub(crate) input: &'static str,
    pub(crate) scopes: &'static [&'static str],
    pub(crate) services: &'static [&'static str],
}

/// A tool that takes an order's number.
pub(crate) const ORDER: Offered = Offered {
    name: "get_order",
    description: "Says where an order is.",
    input: r#"{"type":"object","properties":{"order_id":{"type":"string"}},"required":["order_id"],"additionalProperties":false}"#,
    scopes: &["orders:read"],
    services: &["orders_api"],
};

/// A tool that takes nothing and needs nothing.
pub(crate) const HELLO: Offered = Offered {
    name: "hello",
    description: "Says hello.",
    input: r#"{"type":"object","additionalProperties":false}"#,
    scopes: &[],
    services: &[],
};

/// Makes a component that offers these tools.
pub(crate) fn component(tools: &[Offered]) -> Vec<u8> {
    let mut memory = Memory(vec![0; 8]);
    let definitions: Vec<Vec<u8>> = tools.iter().map(|tool| memory.definition(tool)).collect();
    let list = memory.list(&definitions);
    memory.0.splice(0..8, list);
    let data = memory.0.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "\\{byte:02x}");
        text
    });
    let module = format!(
        r#"(module
            (import "bailiwick:tool/log@0.2.0" "write" (func (param i32 i32 i32)))
            (memory (export "memory") 2)
            (data (i32.const {BASE}) "{data}")
            (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) unreachable)
            (func (export "bailiwick:tool/tools@0.2.0#describe") (result i32) i32.const {BASE})
            (func (export "bailiwick:tool/tools@0.2.0#call")
                (param i32 i32 i32 i32 i32 i32 i32 i32 i32) (result i32) unreachable))"#
    );
    encode(&module)
}

fn encode(module: &str) -> Vec<u8> {
    let mut module = wat::parse_str(module).unwrap();
    let mut resolve = Resolve::default();
    let package = resolve
        .push_str("tool.wit", include_str!("../../../../wit/tool.wit"))
        .unwrap();
    let world = resolve.select_world(&[package], Some("tool")).unwrap();
    embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8).unwrap();
    ComponentEncoder::default()
        .module(&module)
        .unwrap()
        .encode()
        .unwrap()
}

/// The address where the memory's contents begin.
const BASE: u32 = 1024;

/// The memory of a component, in the layout of the canonical ABI.
struct Memory(Vec<u8>);

impl Memory {
    fn put(&mut self, bytes: &[u8]) -> u32 {
        self.0.resize(self.0.len().next_multiple_of(4), 0);
        let at = BASE + u32::try_from(self.0.len()).unwrap();
        self.0.extend_from_slice(bytes);
        at
    }

    fn text(&mut self, text: &str) -> [u8; 8] {
        pair(self.put(text.as_bytes()), text.len())
    }

    fn list<I: AsRef<[u8]>>(&mut self, items: &[I]) -> [u8; 8] {
        let bytes: Vec<u8> = items
            .iter()
            .flat_map(|item| item.as_ref().to_vec())
            .collect();
        pair(self.put(&bytes), items.len())
    }

    fn texts(&mut self, texts: &[&str]) -> [u8; 8] {
        let texts: Vec<_> = texts.iter().map(|text| self.text(text)).collect();
        self.list(&texts)
    }

    /// Writes the members of `definition`: name, title, description, input schema, output schema,
    /// annotations, scopes, services, meta.
    fn definition(&mut self, tool: &Offered) -> Vec<u8> {
        let none = [0; 12];
        let mut bytes = self.text(tool.name).to_vec();
        bytes.extend(none);
        bytes.extend(self.text(tool.description));
        bytes.extend(self.text(tool.input));
        bytes.extend(none);
        bytes.extend([1, 1, 0, 0, 0, 0, 0, 0]); // read-only
        bytes.extend(self.texts(tool.scopes));
        bytes.extend(self.texts(tool.services));
        bytes.extend(none);
        bytes
    }
}

fn pair(pointer: u32, length: usize) -> [u8; 8] {
    let mut bytes = [0; 8];
    bytes[..4].copy_from_slice(&pointer.to_le_bytes());
    bytes[4..].copy_from_slice(&u32::try_from(length).unwrap().to_le_bytes());
    bytes
}

/// The complete configuration, with one service, that tests change.
pub(crate) const CONFIG: &str = r#"[server]
listen = "127.0.0.1:0"
resource = "https://mcp.example.com/mcp"

[[issuers]]
issuer = "https://idp.example.com"
alias = "corp"
jwks_file = "jwks.json"

[envelope]
trust_domain = "acme.example"

[services.orders_api]
url = "https://orders.example.com/v1"
actor_issuers = ["corp"]
allow = ["GET /orders/{}", "GET /customers/{actor.sub}/orders"]

[services.orders_api.exchange]
token_endpoint = "https://idp.example.com/token"
client_id = "bailiwick"
client_secret_file = "secret"
audience = "orders"
scopes = ["orders.read"]
issuer = "https://idp.example.com"

[components.orders]
digest = "any"
services = { orders_api = "on_behalf_of" }

[audit]
folder = "audit"
"#;

/// A private key for the host as an issuer: the Ed25519 key of a seed of ones.
const OWN_KEY: &str = "-----BEGIN PRIVATE KEY-----\n\
                       MC4CAQAwBQYDK2VwBCIEIAEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEB\n\
                       -----END PRIVATE KEY-----\n";

/// Returns [`CONFIG`] with tokens of the host's own, with these scopes, in place of the exchange.
pub(crate) fn reissuing(scopes: &[&str]) -> String {
    let (before, rest) = CONFIG.split_once("[services.orders_api.exchange]").unwrap();
    let (_, after) = rest.split_once("[components").unwrap();
    let after = after.replace("on_behalf_of", "restricted_user");
    format!(
        "{before}[services.orders_api.reissue]\naudience = \"orders\"\nscopes = {scopes:?}\n\n\
         [reissue]\nissuer = \"https://mcp.example.com/reissue\"\nkey_file = \"own.pem\"\n\n\
         [components{after}"
    )
}

/// A folder with a configuration, a key set and a tools folder.
pub(crate) struct Site(TempDir);

impl Site {
    pub(crate) fn new(config: &str, components: &[(&str, Vec<u8>)]) -> Self {
        let site = Self(tempfile::tempdir().unwrap());
        close(site.0.path(), 0o700);
        fs::create_dir(site.path("tools")).unwrap();
        close(&site.path("tools"), 0o755);
        site.write("bailiwick.toml", config.as_bytes());
        site.write("secret", b"s3cret");
        site.write("own.pem", OWN_KEY.as_bytes());
        site.write("jwks.json", &jwks());
        for (name, bytes) in components {
            site.write(&format!("tools/{name}.wasm"), bytes);
        }
        site
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn config(&self) -> PathBuf {
        self.path("bailiwick.toml")
    }

    pub(crate) fn write(&self, name: &str, bytes: &[u8]) {
        fs::write(self.path(name), bytes).unwrap();
        close(&self.path(name), 0o644);
    }

    /// Returns the names in the folder.
    pub(crate) fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.0.path()).unwrap();
        let mut names: Vec<_> = entries
            .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    }
}

fn close(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

fn key() -> SigningKey {
    SigningKey::from_bytes(&[7; 32])
}

/// Returns the key set that verifies [`signed`] tokens.
pub(crate) fn jwks() -> Vec<u8> {
    let x = BASE64_URL_SAFE_NO_PAD.encode(key().verifying_key().as_bytes());
    json!({"keys": [
        {"kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "use": "sig", "kid": "k", "x": x},
    ]})
    .to_string()
    .into_bytes()
}

/// Returns a token of alice, issued at `now` and changed by these claims.
pub(crate) fn signed(now: u64, changes: &Value) -> String {
    let mut claims = json!({
        "iss": "https://idp.example.com", "sub": "alice", "aud": "https://mcp.example.com/mcp",
        "client_id": "web", "scope": "orders:read", "iat": now, "exp": now + 600, "jti": "1",
    });
    if let (Some(claims), Some(changes)) = (claims.as_object_mut(), changes.as_object()) {
        claims.extend(changes.clone());
    }
    let header = json!({"alg": "EdDSA", "typ": "at+jwt", "kid": "k"});
    let [header, claims] =
        [header, claims].map(|part| BASE64_URL_SAFE_NO_PAD.encode(part.to_string()));
    let signature = key().sign(format!("{header}.{claims}").as_bytes());
    format!(
        "{header}.{claims}.{}",
        BASE64_URL_SAFE_NO_PAD.encode(signature.to_bytes())
    )
}
