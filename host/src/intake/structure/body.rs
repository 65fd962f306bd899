//! One function: its size, and its cost to check and to compile.
//!
//! A call of two bytes can move a thousand values, and a branch table as many for each of its
//! targets. So an instruction counts as many steps as it has values and targets. Instructions that
//! take a compiler long count more: a call several steps, and a loop one for each loop before it in
//! its function, because the cost of a loop grows with their number.

use wasmparser::{
    BlockType, CompositeInnerType, FunctionBody, FunctionSectionReader, ImportSectionReader,
    Operator, SubType, TypeRef, TypeSectionReader,
};

use super::caps::{Item, ItemCounts};
use super::{StructureError, malformed};

/// The number of values that the functions and blocks of a module take and give.
#[derive(Default)]
pub(super) struct Signatures {
    types: Vec<Width>,
    /// The type of each function, imported ones first.
    functions: Vec<u32>,
    defined: std::ops::Range<usize>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Width {
    parameters: u64,
    results: u64,
}

impl Signatures {
    /// Adds the types of a module.
    pub(super) fn types(&mut self, section: TypeSectionReader<'_>) -> Result<(), StructureError> {
        for group in section.into_iter_with_offsets() {
            let (offset, group) = group.map_err(|error| malformed(&error))?;
            for declared in group.types() {
                let width = width(declared);
                Item::Values.check(width.parameters.saturating_add(width.results), offset)?;
                self.types.push(width);
                Item::Types.check(self.types.len(), offset)?;
            }
        }
        Ok(())
    }

    /// Adds the imported functions.
    pub(super) fn imports(
        &mut self,
        section: ImportSectionReader<'_>,
        tally: &mut ItemCounts,
    ) -> Result<(), StructureError> {
        for import in section.into_imports_with_offsets() {
            let (offset, import) = import.map_err(|error| malformed(&error))?;
            if let TypeRef::Func(index) | TypeRef::FuncExact(index) = import.ty {
                tally.add(Item::Functions, 1_u64, offset)?;
                self.functions.push(index);
            }
        }
        self.defined = self.functions.len()..self.functions.len();
        Ok(())
    }

    /// Adds the functions that the module itself has.
    pub(super) fn functions(
        &mut self,
        section: FunctionSectionReader<'_>,
    ) -> Result<(), StructureError> {
        for index in section {
            self.functions
                .push(index.map_err(|error| malformed(&error))?);
        }
        self.defined.end = self.functions.len();
        Ok(())
    }

    fn of_type(&self, index: u32) -> Width {
        // An index out of range is left for the validator to refuse.
        usize::try_from(index)
            .ok()
            .and_then(|index| self.types.get(index))
            .copied()
            .unwrap_or_default()
    }

    fn of_function(&self, index: u32) -> Width {
        let found = usize::try_from(index)
            .ok()
            .and_then(|index| self.functions.get(index));
        found.map(|index| self.of_type(*index)).unwrap_or_default()
    }

    fn of_block(&self, block: BlockType) -> Width {
        match block {
            BlockType::Empty => Width::default(),
            BlockType::Type(_) => Width {
                parameters: 0,
                results: 1,
            },
            BlockType::FuncType(index) => self.of_type(index),
        }
    }

    /// Returns the function whose body comes next.
    fn next(&mut self) -> Width {
        let index = self
            .defined
            .next()
            .and_then(|index| self.functions.get(index))
            .copied();
        index.map(|index| self.of_type(index)).unwrap_or_default()
    }
}

impl Width {
    fn both(self) -> u64 {
        self.parameters.saturating_add(self.results)
    }
}

/// Checks the next body in its module.
///
/// # Errors
/// Fails if a cap is exceeded or the body cannot be read.
pub(super) fn check(
    body: &FunctionBody<'_>,
    signatures: &mut Signatures,
    tally: &mut ItemCounts,
) -> Result<(), StructureError> {
    let start = body.range().start;
    Item::BodyBytes.check(body.as_bytes().len(), start)?;
    locals(body)?;
    let function = signatures.next();
    let mut walk = BodyWalk {
        signatures,
        labels: vec![function.results],
        loops: 0,
    };
    let mut steps = 0_u64;
    let mut operators = body
        .get_operators_reader()
        .map_err(|error| malformed(&error))?;
    while !operators.eof() {
        let offset = operators.original_position();
        let operator = operators.read().map_err(|error| malformed(&error))?;
        steps = steps.saturating_add(walk.step(&operator, offset)?);
    }
    tally.add(Item::Steps, steps, start)
}

fn locals(body: &FunctionBody<'_>) -> Result<(), StructureError> {
    let mut reader = body
        .get_locals_reader()
        .map_err(|error| malformed(&error))?;
    let mut total = 0_u64;
    for _ in 0..reader.get_count() {
        let offset = reader.original_position();
        let (count, _) = reader.read().map_err(|error| malformed(&error))?;
        total = total.saturating_add(u64::from(count));
        Item::Locals.check(total, offset)?;
    }
    Ok(())
}

struct BodyWalk<'s> {
    signatures: &'s Signatures,
    /// The number of values that a branch to each enclosing block takes, innermost last.
    labels: Vec<u64>,
    loops: u64,
}

impl BodyWalk<'_> {
    /// Returns the number of steps that one instruction counts as.
    fn step(&mut self, operator: &Operator<'_>, offset: u64) -> Result<u64, StructureError> {
        let values = match operator {
            Operator::Block { blockty } | Operator::If { blockty } => {
                let width = self.signatures.of_block(*blockty);
                self.enter(width.results, offset)?;
                width.both()
            }
            Operator::Loop { blockty } => {
                let width = self.signatures.of_block(*blockty);
                self.enter(width.parameters, offset)?;
                self.loops += 1;
                Item::Loops.check(self.loops, offset)?;
                width.both().saturating_add(self.loops)
            }
            Operator::Else => self.label(0),
            Operator::End => self.labels.pop().unwrap_or_default(),
            Operator::Br { relative_depth } | Operator::BrIf { relative_depth } => {
                self.label(*relative_depth)
            }
            Operator::BrTable { targets } => {
                Item::Targets.check(targets.len(), offset)?;
                let values = self.label(targets.default()).saturating_add(1);
                values.saturating_mul(u64::from(targets.len()).saturating_add(1))
            }
            Operator::Return => self.labels.first().copied().unwrap_or_default(),
            Operator::Call { function_index } | Operator::ReturnCall { function_index } => self
                .signatures
                .of_function(*function_index)
                .both()
                .saturating_add(CALL),
            Operator::CallIndirect { type_index, .. }
            | Operator::ReturnCallIndirect { type_index, .. } => self
                .signatures
                .of_type(*type_index)
                .both()
                .saturating_add(CALL),
            _ => 0,
        };
        Ok(values.saturating_add(1))
    }

    fn enter(&mut self, values: u64, offset: u64) -> Result<(), StructureError> {
        self.labels.push(values);
        Item::Nesting.check(self.labels.len(), offset)
    }

    fn label(&self, depth: u32) -> u64 {
        let depth = usize::try_from(depth).unwrap_or(usize::MAX);
        self.labels
            .iter()
            .rev()
            .nth(depth)
            .copied()
            .unwrap_or_default()
    }
}

/// The cost of a call besides the values that it moves.
const CALL: u64 = 8;

fn width(declared: &SubType) -> Width {
    let many = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
    match &declared.composite_type.inner {
        CompositeInnerType::Func(function) => Width {
            parameters: many(function.params().len()),
            results: many(function.results().len()),
        },
        CompositeInnerType::Struct(fields) => Width {
            parameters: many(fields.fields.len()),
            results: 0,
        },
        CompositeInnerType::Array(_) | CompositeInnerType::Cont(_) => Width::default(),
    }
}
