//! A component that wants the network.

/// The file's name in the tools folder.
pub(super) const NAME: &str = "nosy.wasm";

/// It looks like a tool and asks for its own socket.
const TEXT: &str = r#"
(component
  (import "bailiwick:tool/clock@0.2.0" (instance (export "now" (func (result u64)))))
  (import "wasi:sockets/instance-network@0.2.6" (instance
    (export "network" (type (sub resource)))))
  (import "wasi:sockets/tcp-create-socket@0.2.6" (instance
    (export "create-tcp-socket" (func (result (result u32)))))))
"#;

/// Returns the component as a binary.
pub(super) fn component() -> anyhow::Result<Vec<u8>> {
    Ok(wat::parse_str(TEXT)?)
}

#[cfg(test)]
mod tests {
    #[test]
    fn it_is_a_component() {
        let bytes = super::component().unwrap_or_default();
        assert!(bytes.starts_with(b"\0asm\x0d\0\x01\0"));
    }
}
