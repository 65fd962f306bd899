//! Components that are small to write and expensive to compile.
//!
//! Each is valid, and imports and exports only names of the world, so only its shape can give it
//! away. Its cost arises in the compiler; the host decides whether it gets that far.

/// A component that a compiler may choke on.
pub struct Bomb {
    /// The thing that it has too much of.
    pub name: &'static str,
    /// The host's message when it refuses the bomb before compiling, or `None` if it is compiled.
    pub refused: Option<&'static str>,
    /// The component.
    pub bytes: Vec<u8>,
}

/// Returns every kind, each as large as it takes.
pub fn bombs() -> Vec<Bomb> {
    let refused = |name, why, bytes| Bomb {
        name,
        refused: Some(why),
        bytes,
    };
    let compiled = |name, bytes| Bomb {
        name,
        refused: None,
        bytes,
    };
    vec![
        refused(
            "15,000 nested blocks",
            "nested blocks",
            component(&[module(&[nested(15_000)])]),
        ),
        compiled(
            "2,400 nested blocks",
            component(&[module(&[nested(2_400)])]),
        ),
        refused(
            "20,000 empty loops",
            "loops",
            component(&[module(&[loops(20_000)])]),
        ),
        refused(
            "2,000 empty loops in each of 50 functions",
            "steps",
            component(&[module(&vec![loops(2_000); 50])]),
        ),
        compiled("2,000 empty loops", component(&[module(&[loops(2_000)])])),
        refused(
            "a function of 7.6 MB",
            "bytes of one function",
            component(&[module(&[adds(7_600_000)])]),
        ),
        compiled(
            "15 functions of 1 MB",
            component(&[module(&vec![adds(1_000_000); 15])]),
        ),
        refused(
            "a million types",
            "core types",
            component(&[types(1_000_000)]),
        ),
        refused(
            "a branch table of a million",
            "targets",
            component(&[module(&[table(1_000_000, 1)])]),
        ),
        refused(
            "a branch table of 100,000",
            "targets",
            component(&[module(&[table(100_000, 1)])]),
        ),
        compiled(
            "branch tables of 8,000",
            component(&[module(&vec![table(8_000, 15); 20])]),
        ),
        refused(
            "1,000 modules",
            "core modules",
            component(&vec![b"\0asm\x01\0\0\0".to_vec(); 1_000]),
        ),
        refused(
            "50,000 locals",
            "locals",
            component(&[module(&[declared(50_000)])]),
        ),
        compiled(
            "5,000 locals, all alive",
            component(&[module(&vec![locals(5_000); 20])]),
        ),
        compiled(
            "a soup of SIMD",
            component(&[module(&vec![soup(8_000); 100])]),
        ),
        compiled(
            "20,000 functions that call each other",
            component(&[module(&callers(20_000, 40))]),
        ),
        refused(
            "a million functions",
            "functions",
            component(&[module(&vec![Vec::new(); 1_000_000])]),
        ),
    ]
}

/// Returns a component with these core modules, and an export that looks like the tools.
pub fn component(modules: &[Vec<u8>]) -> Vec<u8> {
    let mut all = b"\0asm\x0d\0\x01\0".to_vec();
    for module in modules {
        section(&mut all, 1, module);
    }
    // One instance without anything in it, exported.
    section(&mut all, 5, &[1, 1, 0]);
    let name = b"bailiwick:tool/tools@0.2.0";
    let mut export = vec![1, 0];
    number(&mut export, name.len());
    export.extend_from_slice(name);
    export.extend_from_slice(&[5, 0, 0]);
    section(&mut all, 11, &export);
    all
}

/// Returns a core module with these bodies, each of a function that takes an `i32` and a `v128`.
pub fn module(bodies: &[Vec<u8>]) -> Vec<u8> {
    let mut all = b"\0asm\x01\0\0\0".to_vec();
    section(&mut all, 1, &[1, 0x60, 2, I32, V128, 0]);
    let mut functions = Vec::new();
    number(&mut functions, bodies.len());
    functions.resize(functions.len() + bodies.len(), 0);
    section(&mut all, 3, &functions);
    section(&mut all, 5, &[1, 0, 1]);
    let mut code = Vec::new();
    number(&mut code, bodies.len());
    for body in bodies {
        let empty = body.is_empty();
        let body = if empty { &[0] } else { body.as_slice() };
        number(&mut code, body.len() + 1);
        code.extend_from_slice(body);
        code.push(END);
    }
    section(&mut all, 10, &code);
    all
}

fn types(many: usize) -> Vec<u8> {
    let mut all = b"\0asm\x01\0\0\0".to_vec();
    let mut types = Vec::new();
    number(&mut types, many);
    types.extend([0x60, 0, 0].repeat(many));
    section(&mut all, 1, &types);
    all
}

/// Returns blocks inside each other, each with a branch out of all of them.
fn nested(many: usize) -> Vec<u8> {
    let mut body = vec![0];
    for depth in 0..many {
        body.extend([BLOCK, EMPTY, LOCAL_GET, 0, BR_IF]);
        number(&mut body, depth);
    }
    body.extend(std::iter::repeat_n(END, many));
    body
}

fn loops(many: usize) -> Vec<u8> {
    [vec![0], [LOOP, EMPTY, END].repeat(many)].concat()
}

/// Returns one expression, as long as that, whose value is kept.
fn adds(bytes: usize) -> Vec<u8> {
    let each = [LOCAL_GET, 0, LOCAL_GET, 0, I32_MUL, I32_ADD];
    let start = [0, I32_CONST, 0, I32_CONST, 1].to_vec();
    [
        start,
        each.repeat(bytes / each.len()),
        vec![I32_STORE, 2, 0],
    ]
    .concat()
}

/// Returns branch tables, one after the other, of that many targets each.
fn table(targets: usize, many: usize) -> Vec<u8> {
    let mut body = vec![0];
    for _ in 0..many {
        body.extend([BLOCK, EMPTY, BLOCK, EMPTY, LOCAL_GET, 0, BR_TABLE]);
        number(&mut body, targets);
        body.extend([0, 1].repeat(targets / 2));
        body.extend([0, END, END]);
    }
    body
}

/// Returns locals that are there and not used.
fn declared(many: usize) -> Vec<u8> {
    let mut body = vec![1];
    number(&mut body, many);
    body.push(I32);
    body
}

/// Returns locals that are set one from the other in a loop, so that all of them live all the time.
fn locals(many: usize) -> Vec<u8> {
    let mut body = vec![1];
    number(&mut body, many);
    body.extend([
        I32, LOOP, EMPTY, LOCAL_GET, 0, I32_CONST, 0, I32_LOAD, 2, 0, I32_ADD, LOCAL_SET, 2,
    ]);
    for local in 2..many {
        body.push(LOCAL_GET);
        number(&mut body, local);
        body.push(LOCAL_SET);
        number(&mut body, (local * 7919) % (many - 2) + 2);
    }
    body.extend([LOCAL_GET, 0, BR_IF, 0, END]);
    for local in 2..many {
        body.extend([I32_CONST, 0, LOCAL_GET]);
        number(&mut body, local);
        body.extend([I32_STORE, 2, 0]);
    }
    body
}

/// Returns vector instructions with long dependencies and constants.
fn soup(many: usize) -> Vec<u8> {
    let mut body = vec![0, I32_CONST, 0, LOCAL_GET, 1];
    for at in 0..many {
        let lane = u8::try_from(at % 16).unwrap_or_default();
        // A shuffle of the value with itself, then i64x2.mul, which takes many instructions.
        body.extend([LOCAL_GET, 1, VECTOR, 13]);
        body.extend([0, lane, 2, 17, 4, 19, 6, 21, 8, 23, 10, 25, 12, 27, 14, 29]);
        body.extend([LOCAL_GET, 1, VECTOR, 0xd5, 1]);
    }
    body.extend([VECTOR, 0x0b, 4, 0]);
    body
}

fn callers(many: usize, calls: usize) -> Vec<Vec<u8>> {
    let one = |function: usize| {
        let mut body = vec![0];
        for call in 0..calls {
            body.extend([LOCAL_GET, 0, LOCAL_GET, 1, CALL]);
            number(&mut body, (function * 31 + call * 977) % many);
        }
        body
    };
    (0..many).map(one).collect()
}

fn section(all: &mut Vec<u8>, id: u8, content: &[u8]) {
    all.push(id);
    number(all, content.len());
    all.extend_from_slice(content);
}

/// Appends a number in LEB128.
fn number(all: &mut Vec<u8>, mut value: usize) {
    while value >= 0x80 {
        all.push(u8::try_from(value & 0x7f).unwrap_or_default() | 0x80);
        value >>= 7;
    }
    all.push(u8::try_from(value).unwrap_or_default());
}

// WebAssembly Core Specification, sections 5.3 and 5.4.
const I32: u8 = 0x7f;
const V128: u8 = 0x7b;
const EMPTY: u8 = 0x40;
const BLOCK: u8 = 0x02;
const LOOP: u8 = 0x03;
const END: u8 = 0x0b;
const BR_IF: u8 = 0x0d;
const BR_TABLE: u8 = 0x0e;
const CALL: u8 = 0x10;
const LOCAL_GET: u8 = 0x20;
const LOCAL_SET: u8 = 0x21;
const I32_LOAD: u8 = 0x28;
const I32_STORE: u8 = 0x36;
const I32_CONST: u8 = 0x41;
const I32_ADD: u8 = 0x6a;
const I32_MUL: u8 = 0x6c;
const VECTOR: u8 = 0xfd;
