//! What the help and the manual of operators' commands have behind their options: examples,
//! variables and exit codes.

/// Of `bailiwick serve`.
pub(crate) const SERVE: &str = "\
Examples:
  bailiwick serve --config bailiwick.toml
  BAILIWICK_TOKEN_FILE=token.txt bailiwick serve --stdio --config bailiwick.toml

Variables: RUST_LOG, the least level of the log's lines, such as `warn` or `debug`; libraries never
write more than warnings.

Exit codes: 0 after SIGTERM or Ctrl-C, 77 if the token of --stdio is refused, 1 after an error.";

/// Of `bailiwick check`.
pub(crate) const CHECK: &str = "\
Examples:
  bailiwick check --config bailiwick.toml
  bailiwick check --config bailiwick.next.toml && mv bailiwick.next.toml bailiwick.toml

Exit codes: 0 if the host would serve with it, also if there are warnings; 1 if not.";

/// Of `bailiwick explain`.
pub(crate) const EXPLAIN: &str = "\
Examples:
  bailiwick explain --config bailiwick.toml --tool get_order_status --token-file token.txt
  bailiwick explain --config bailiwick.toml --tool get_order_status --token-file token.txt \\
    --arguments '{\"order_id\": \"A-1001\"}'

Exit codes: 0 if the call would be made, 1 if not.";

/// Of `bailiwick sign`.
pub(crate) const SIGN: &str = "\
Examples:
  bailiwick sign --new-key release.pem
  bailiwick sign --key release.pem tools/orders.wasm

Files: the signature of FILE.wasm is FILE.wasm.sig beside it. The key file is made with mode 0600;
keep it away from the host.";

/// Of `bailiwick deny`.
pub(crate) const DENY: &str = "\
Examples:
  bailiwick deny --config bailiwick.toml --subject alice --issuer corp --reason \"left the company\"
  bailiwick deny --config bailiwick.toml --tool refund --reason \"INC-204\" --for 8h
  bailiwick deny --config bailiwick.toml            the list
  bailiwick deny --config bailiwick.toml --lift d2

Exit codes: 0 if the running host follows, or none runs; 1 if not, although the list is written.";
