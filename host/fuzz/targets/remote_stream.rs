//! A stream of events of a remote MCP server.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    bailiwick::surfaces::remote_stream(bytes);
});
