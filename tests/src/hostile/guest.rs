//! The text of a guest, with gaps.

use std::collections::BTreeMap;

use super::definition::{self, Definition};

/// A guest in the making: good, until a gap is filled otherwise.
#[derive(Clone, Debug, Default)]
pub struct Guest(BTreeMap<&'static str, String>);

impl Guest {
    /// The good guest. It imports nothing but the types of `identity`.
    pub fn new() -> Self {
        Self::default()
    }

    /// The good guest with every host function at hand as `$write`, `$send`, `$send-all`, `$get`,
    /// `$report`, `$now` and `$bytes`.
    pub fn with_host_functions() -> Self {
        Self::new()
            .fill("imports", IMPORTS)
            .fill("lowered", LOWERED)
            .fill("main-imports", MAIN_IMPORTS)
            .fill("main-with", MAIN_WITH)
    }

    /// Fills a gap of `tests/hostile/guest.wat`.
    #[must_use]
    pub fn fill(mut self, gap: &'static str, text: impl Into<String>) -> Self {
        self.0.insert(gap, text.into());
        self
    }

    /// The tool does this, and then answers.
    #[must_use]
    pub fn call(self, code: impl Into<String>) -> Self {
        self.fill("call", code)
    }

    /// The module has this too.
    #[must_use]
    pub fn main(self, fields: impl Into<String>) -> Self {
        self.fill("main", fields)
    }

    /// It says this of its tools.
    #[must_use]
    pub fn describes(self, definitions: &[Definition]) -> Self {
        self.fill("definitions", definition::data(definitions))
    }

    /// The whole text, for a tool of this name.
    pub fn text(&self, tool: &str) -> String {
        let usual = |gap: &str| match gap {
            "memory" => r#"    (memory (export "memory") 8)"#.to_owned(),
            "definitions" => definition::data(&[Definition::new(tool)]),
            "exports" => r#"  (export "bailiwick:tool/tools@0.1.0" (instance $tools))"#.to_owned(),
            _ => String::new(),
        };
        let mut pieces = TEMPLATE.split("{{");
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

/// Every function of the world.
pub(super) const IMPORTS: &str = r#"
  (import "bailiwick:tool/downstream@0.1.0" (instance $downstream
    (type $part' (variant (case "text" string) (case "actor-sub") (case "actor-tenant")))
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
      (case "identity-unavailable") (case "consent-required" string) (case "approval-required")
      (case "scope-denied" (list string)) (case "credential-refused" string) (case "unavailable" string)
      (case "timed-out") (case "too-large") (case "rate-limited" (option u32)) (case "quota-exhausted")
      (case "other" string)))
    (export "error" (type $error (eq $error')))
    (export "send" (func (param "request" $request) (result (result $response (error $error)))))
    (export "send-all" (func
      (param "requests" (list $request)) (result (list (result $response (error $error))))))))
  (import "bailiwick:tool/log@0.1.0" (instance $log
    (type $level' (enum "error" "warn" "info" "debug"))
    (export "level" (type $level (eq $level')))
    (export "write" (func (param "level" $level) (param "message" string)))))
  (import "bailiwick:tool/progress@0.1.0" (instance $progress
    (export "report" (func (param "done" f64) (param "total" (option f64)) (param "message" (option string))))))
  (import "bailiwick:tool/clock@0.1.0" (instance $clock
    (export "now" (func (result u64)))))
  (import "bailiwick:tool/random@0.1.0" (instance $random
    (export "bytes" (func (param "len" u32) (result (list u8))))))
  (import "bailiwick:tool/settings@0.1.0" (instance $settings
    (export "get" (func (result string)))))
"#;

const LOWERED: &str = r#"
  (core func $send (canon lower (func $downstream "send") (memory $memory) (realloc $realloc)))
  (core func $send-all (canon lower (func $downstream "send-all") (memory $memory) (realloc $realloc)))
  (core func $write (canon lower (func $log "write") (memory $memory)))
  (core func $report (canon lower (func $progress "report") (memory $memory)))
  (core func $now (canon lower (func $clock "now")))
  (core func $bytes (canon lower (func $random "bytes") (memory $memory) (realloc $realloc)))
  (core func $get (canon lower (func $settings "get") (memory $memory) (realloc $realloc)))
"#;

const MAIN_IMPORTS: &str = r#"
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
      (export "get" (func $get))))
"#;
