//! The text of a guest, with gaps.

use std::collections::BTreeMap;

use super::definition::{self, Definition};
use super::offers::{self, Offers};

/// A guest in the making: good, until a gap is filled otherwise.
#[derive(Clone, Debug, Default)]
pub struct Guest(BTreeMap<&'static str, String>);

impl Guest {
    /// Returns the good guest. It imports nothing but the shared types.
    pub fn new() -> Self {
        Self::default()
    }

    /// Returns the good guest with every host function at hand as `$write`, `$send`, `$send-all`,
    /// `$get`, `$report`, `$now` and `$bytes`; those of `identity` as `$actor`, `$login`, `$agent`,
    /// `$session`, `$scopes`, `$services`, `$binding` and `$envelope`; those of `client` as
    /// `$revision`, `$declares` and `$message`.
    pub fn with_host_functions() -> Self {
        Self::new()
            .fill("imports", IMPORTS)
            .fill("lowered", LOWERED)
            .fill("main-imports", MAIN_IMPORTS)
            .fill("main-with", MAIN_WITH)
    }

    /// Fills a gap of `tests/hostile/guest.wat`:
    ///
    /// - `imports`: of the component;
    /// - `lowered`, `main-imports`, `main-with`: core functions for `$main`;
    /// - `memory`, `realloc`: of `$heap`, its memory (8 pages), and code before it allocates
    ///   (`$old`, `$old-size`, `$align`, `$size`);
    /// - `main`: more fields of `$main`;
    /// - `definitions`: the result of `describe`, by default one tool without arguments;
    /// - `describe`, `call`: code before they return 65536 and 2048, where their results are;
    /// - `after-describe`, `after-call`: code of the functions that clean up;
    /// - `call-options`: more options of the canonical definition of `call`;
    /// - `more`: more of the component, after `$main`;
    /// - `exports`: the interface `tools`;
    /// - after [`Self::offers`], `describe-resources`, `describe-prompts`, `describe-facets`,
    ///   `members`, `read`, `get` and `complete`: code before they return 16384, 16400, 16416,
    ///   16432, 16464, 16496 and 16536, where their results are.
    #[must_use]
    pub fn fill(mut self, gap: &'static str, text: impl Into<String>) -> Self {
        self.0.insert(gap, text.into());
        self
    }

    /// Makes the tool run this code before it answers.
    #[must_use]
    pub fn call(self, code: impl Into<String>) -> Self {
        self.fill("call", code)
    }

    /// Adds these fields to the module.
    #[must_use]
    pub fn main(self, fields: impl Into<String>) -> Self {
        self.fill("main", fields)
    }

    /// Makes the guest describe its tools in this way.
    #[must_use]
    pub fn describes(self, definitions: &[Definition]) -> Self {
        self.fill("definitions", definition::data(definitions))
    }

    /// Makes the guest offer this beside its tool.
    #[must_use]
    pub fn offers(self, offers: &Offers) -> Self {
        self.fill("offers-data", offers.data())
            .fill("offers", OFFERS)
            .fill("offered", offers.exports())
    }

    /// Returns the exports of what the guest offers beside its tool: to fill `exports` with, for a
    /// guest without tools.
    pub fn offered(&self) -> String {
        self.0.get("offered").cloned().unwrap_or_default()
    }

    /// Returns the whole text, for a tool of this name.
    pub fn text(&self, tool: &str) -> String {
        self.filled(TEMPLATE, tool)
    }

    fn filled(&self, template: &str, tool: &str) -> String {
        let usual = |gap: &str| match gap {
            "memory" => r#"    (memory (export "memory") 8)"#.to_owned(),
            "offers-main" if self.0.contains_key("offers-data") => {
                self.filled(offers::FUNCTIONS, tool)
            }
            "definitions" => definition::data(&[Definition::new(tool)]),
            "exports" => {
                r#"  (export "bailiwick:tool/tools@0.2.0" (instance $tools))"#.to_owned()
                    + "\n"
                    + &self.offered()
            }
            _ => String::new(),
        };
        let mut pieces = template.split("{{");
        let mut text = pieces.next().unwrap_or_default().to_owned();
        for piece in pieces {
            let (gap, rest) = piece.split_once("}}").unwrap_or((piece, ""));
            match self.0.get(gap) {
                Some(filled) => text.push_str(filled),
                None => text.push_str(&usual(gap)),
            }
            text.push_str(rest);
        }
        text
    }
}

const TEMPLATE: &str = include_str!("../../hostile/guest.wat");
const OFFERS: &str = include_str!("../../hostile/offers.wat");

/// Every function of the world.
pub(super) const IMPORTS: &str = r#"
  (import "bailiwick:tool/identity@0.2.0" (instance $identity
    (type $actor-kind' (enum "user" "service" "other"))
    (export "actor-kind" (type $actor-kind (eq $actor-kind')))
    (type $principal' (record
      (field "kind" $actor-kind) (field "sub" string) (field "iss" string)
      (field "tenant" (option string))))
    (export "principal" (type $principal (eq $principal')))
    (type $login' (record (field "acr" (option string)) (field "auth-time" (option u64))))
    (export "login" (type $login (eq $login')))
    (type $prior-actor' (record (field "sub" string) (field "iss" (option string))))
    (export "prior-actor" (type $prior-actor (eq $prior-actor')))
    (type $executor' (record
      (field "kind" string) (field "id" string) (field "client-id" string)
      (field "prior-actors" (list $prior-actor))))
    (export "executor" (type $executor (eq $executor')))
    (type $correlation' (record
      (field "id" string) (field "source" string) (field "trace-id" string)))
    (export "correlation" (type $correlation (eq $correlation')))
    (type $mode' (enum "service-identity" "on-behalf-of" "restricted-user" "other"))
    (export "delegation-mode" (type $mode (eq $mode')))
    (type $service' (record (field "name" string) (field "mode" $mode)))
    (export "service" (type $service (eq $service')))
    (type $binding' (record
      (field "id" string) (field "kind" string) (field "name" string) (field "component" string)
      (field "arguments" string)))
    (export "binding" (type $binding (eq $binding')))
    (export "actor" (func (result $principal)))
    (export "authentication" (func (result $login)))
    (export "agent" (func (result $executor)))
    (export "session" (func (result $correlation)))
    (export "scopes" (func (result (list string))))
    (export "services" (func (result (list $service))))
    (export "call" (func (result $binding)))
    (export "json" (func (result string)))))
  (import "bailiwick:tool/client@0.2.0" (instance $client
    (type $severity' (enum
      "debug" "info" "notice" "warning" "error" "critical" "alert" "emergency"))
    (export "severity" (type $severity (eq $severity')))
    (export "revision" (func (result string)))
    (export "declares" (func (param "capability" string) (result bool)))
    (export "message" (func (param "severity" $severity) (param "data" string)))))
  (import "bailiwick:tool/downstream@0.2.0" (instance $downstream
    (type $piece' (variant
      (case "text" string) (case "actor-sub") (case "actor-tenant") (case "actor-issuer")))
    (export "piece" (type $piece (eq $piece')))
    (type $part' (variant
      (case "text" string) (case "actor-sub") (case "actor-tenant") (case "actor-issuer")
      (case "joined" (list $piece))))
    (export "part" (type $part (eq $part')))
    (type $request' (record
      (field "service" string) (field "method" string) (field "path" (list $part))
      (field "query" (list (tuple string $part))) (field "headers" (list (tuple string string)))
      (field "body" (list u8))))
    (export "request" (type $request (eq $request')))
    (type $response' (record
      (field "status" u16) (field "headers" (list (tuple string string))) (field "body" (list u8))))
    (export "response" (type $response (eq $response')))
    (type $error' (variant
      (case "unknown-service") (case "not-granted" string) (case "invalid-request" string)
      (case "identity-unavailable") (case "consent-required" string)
      (case "scope-denied" (list string)) (case "credential-refused" string) (case "unavailable" string)
      (case "timed-out") (case "too-large") (case "quota-exhausted") (case "unknown-outcome")
      (case "other" string)))
    (export "error" (type $error (eq $error')))
    (export "send" (func (param "request" $request) (result (result $response (error $error)))))
    (export "send-all" (func
      (param "requests" (list $request)) (result (list (result $response (error $error))))))))
  (import "bailiwick:tool/log@0.2.0" (instance $log
    (type $level' (enum "error" "warn" "info" "debug"))
    (export "level" (type $level (eq $level')))
    (export "write" (func (param "level" $level) (param "message" string)))))
  (import "bailiwick:tool/progress@0.2.0" (instance $progress
    (export "report" (func (param "done" f64) (param "total" (option f64)) (param "message" (option string))))))
  (import "bailiwick:tool/clock@0.2.0" (instance $clock
    (export "now" (func (result u64)))))
  (import "bailiwick:tool/random@0.2.0" (instance $random
    (export "bytes" (func (param "len" u32) (result (list u8))))))
  (import "bailiwick:tool/settings@0.2.0" (instance $settings
    (export "get" (func (result string)))))
"#;

const LOWERED: &str = r#"
  (core func $actor (canon lower (func $identity "actor") (memory $memory) (realloc $realloc)))
  (core func $login (canon lower (func $identity "authentication") (memory $memory) (realloc $realloc)))
  (core func $agent (canon lower (func $identity "agent") (memory $memory) (realloc $realloc)))
  (core func $session (canon lower (func $identity "session") (memory $memory) (realloc $realloc)))
  (core func $scopes (canon lower (func $identity "scopes") (memory $memory) (realloc $realloc)))
  (core func $services (canon lower (func $identity "services") (memory $memory) (realloc $realloc)))
  (core func $binding (canon lower (func $identity "call") (memory $memory) (realloc $realloc)))
  (core func $envelope (canon lower (func $identity "json") (memory $memory) (realloc $realloc)))
  (core func $revision (canon lower (func $client "revision") (memory $memory) (realloc $realloc)))
  (core func $declares (canon lower (func $client "declares") (memory $memory)))
  (core func $message (canon lower (func $client "message") (memory $memory)))
  (core func $send (canon lower (func $downstream "send") (memory $memory) (realloc $realloc)))
  (core func $send-all (canon lower (func $downstream "send-all") (memory $memory) (realloc $realloc)))
  (core func $write (canon lower (func $log "write") (memory $memory)))
  (core func $report (canon lower (func $progress "report") (memory $memory)))
  (core func $now (canon lower (func $clock "now")))
  (core func $bytes (canon lower (func $random "bytes") (memory $memory) (realloc $realloc)))
  (core func $get (canon lower (func $settings "get") (memory $memory) (realloc $realloc)))
"#;

const MAIN_IMPORTS: &str = r#"
    (import "host" "actor" (func $actor (param i32)))
    (import "host" "login" (func $login (param i32)))
    (import "host" "agent" (func $agent (param i32)))
    (import "host" "session" (func $session (param i32)))
    (import "host" "scopes" (func $scopes (param i32)))
    (import "host" "services" (func $services (param i32)))
    (import "host" "binding" (func $binding (param i32)))
    (import "host" "envelope" (func $envelope (param i32)))
    (import "host" "revision" (func $revision (param i32)))
    (import "host" "declares" (func $declares (param i32 i32) (result i32)))
    (import "host" "message" (func $message (param i32 i32 i32)))
    (import "host" "send" (func $send
      (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32)))
    (import "host" "send-all" (func $send-all (param i32 i32 i32)))
    (import "host" "write" (func $write (param i32 i32 i32)))
    (import "host" "report" (func $report (param f64 i32 f64 i32 i32 i32)))
    (import "host" "now" (func $now (result i64)))
    (import "host" "bytes" (func $bytes (param i32 i32)))
    (import "host" "get" (func $get (param i32)))
"#;

const MAIN_WITH: &str = r#"
    (with "host" (instance
      (export "send" (func $send)) (export "send-all" (func $send-all)) (export "write" (func $write))
      (export "report" (func $report)) (export "now" (func $now)) (export "bytes" (func $bytes))
      (export "get" (func $get)) (export "actor" (func $actor)) (export "login" (func $login))
      (export "agent" (func $agent)) (export "session" (func $session))
      (export "scopes" (func $scopes)) (export "services" (func $services))
      (export "binding" (func $binding)) (export "envelope" (func $envelope))
      (export "revision" (func $revision)) (export "declares" (func $declares))
      (export "message" (func $message))))
"#;
