//! The export: definitions and calls, by the data that the importer joined.

use bailiwick_sdk::bindings::{downstream, tools, types};
use bailiwick_sdk::{Error, Response};

use crate::Program;
use crate::operation::Operation;
use crate::shelf::{Described, Entry, HEAD, Shelf};

struct Component;

impl tools::Guest for Component {
    /// Lists the tools; none if a definition cannot be read, which no host serves.
    fn describe() -> Vec<tools::Definition> {
        let shelf = Shelf::of(far(0, HEAD), far);
        let definition = |entry: Entry<'_>| {
            let text = far(entry.definition.at, entry.definition.len);
            serde_json::from_slice::<Described>(&text)
        };
        let definitions: Result<Vec<_>, _> = shelf.entries().map(definition).collect();
        let definitions = definitions.unwrap_or_default();
        definitions.into_iter().map(Into::into).collect()
    }

    fn call(tool: String, context: types::Context) -> Result<tools::Outcome, types::Error> {
        Ok(answered(&tool, &context.input)?)
    }
}

tools::export!(Component with_types_in bailiwick_sdk::bindings::tools);

/// Does what a tool does, and returns its result.
fn answered(tool: &str, input: &str) -> Result<tools::Outcome, Error> {
    let shelf = Shelf::of(far(0, HEAD), far);
    let mut entries = shelf.entries();
    let entry = entries.find(|entry| entry.name == tool.as_bytes());
    let entry = entry.ok_or_else(|| Error::NotFound("there is no such tool".to_owned()))?;
    let program = far(entry.program.at, entry.program.len);
    let output = match serde_json::from_slice(&program)? {
        Program::Request(operation) => requested(&operation, input)?,
        Program::Remote(call) => {
            let answer = downstream::send(&call.request(input))?;
            call.output(answer.status, &answer.body)?
        }
    };
    Ok(tools::Outcome::Complete(output))
}

/// Makes the request of an operation, and returns what the service answered.
fn requested(operation: &Operation, input: &str) -> Result<types::Output, Error> {
    let answer = downstream::send(&operation.request(input)?)?;
    let status = answer.status;
    let text = Response::new(status, answer.body).text()?;
    let structured = operation.structured.then(|| text.clone());
    let text = if text.is_empty() {
        format!("The service answered without a body (HTTP {status}).")
    } else {
        text
    };
    Ok(types::Output {
        content: vec![types::Content::Text(types::TextContent {
            text,
            meta: None,
        })],
        structured,
        is_error: false,
        meta: None,
    })
}

/// Copies `len` bytes of the data.
fn far(at: usize, len: usize) -> Vec<u8> {
    #[expect(unsafe_code, reason = "the data lies outside the memory")]
    #[link(wasm_import_module = "bailiwick:data")]
    unsafe extern "C" {
        /// The importer puts a function in its place that copies from the data, or traps.
        fn read(at: usize, len: usize, to: *mut u8);
    }
    let mut bytes = Vec::with_capacity(len);
    #[expect(unsafe_code, reason = "the vector has room for what is copied")]
    // SAFETY: `read` writes exactly `len` bytes or traps.
    unsafe {
        read(at, len, bytes.as_mut_ptr());
        bytes.set_len(len);
    }
    bytes
}
