//! A walk over the parts of a component.

use wasmparser::{BinaryReaderError, Chunk, Parser, Payload};

/// Passes each part to `each` with its depth (1 is the outer component), but no body of a function:
/// there are tens of thousands in a language runtime.
///
/// # Errors
/// Fails if the parts cannot be told apart, or as `each` does.
pub(super) fn visit<E: From<BinaryReaderError>>(
    bytes: &[u8],
    mut each: impl FnMut(usize, Payload<'_>) -> Result<(), E>,
) -> Result<(), E> {
    let mut rest = bytes;
    let mut outer = Vec::new();
    let mut parser = Parser::new(0);
    loop {
        // The file is here as a whole, so the parser never asks for more of it.
        let Chunk::Parsed { consumed, payload } = parser.parse(rest, true)? else {
            return Ok(());
        };
        rest = rest.get(consumed..).unwrap_or_default();
        let inner = match &payload {
            Payload::ModuleSection { parser, .. } | Payload::ComponentSection { parser, .. } => {
                Some(parser.clone())
            }
            Payload::CodeSectionStart { size, .. } => {
                parser.skip_section();
                let bodies = usize::try_from(*size).unwrap_or(usize::MAX);
                rest = rest.get(bodies..).unwrap_or_default();
                None
            }
            _ => None,
        };
        let ended = matches!(payload, Payload::End(_));
        each(outer.len() + 1, payload)?;
        if let Some(inner) = inner {
            outer.push(std::mem::replace(&mut parser, inner));
        } else if ended {
            match outer.pop() {
                Some(next) => parser = next,
                None => return Ok(()),
            }
        }
    }
}
