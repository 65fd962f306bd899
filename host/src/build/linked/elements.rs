//! What a module writes into tables and memories when it is made.

use std::collections::BTreeSet;

use wasm_encoder::reencode::{Error, Reencode, utils};
use wasm_encoder::{ElementSection, Module};
use wasmparser_of_tools::{
    ConstExpr, DataKind, Element, ElementItems, ElementKind, Operator, Parser, Payload,
};

use super::level::{CoreKind, Nowhere};

/// Returns the tables and memories that a module writes into when it is made, by its own numbers.
pub(super) fn targets(module: &[u8]) -> Option<BTreeSet<(CoreKind, u32)>> {
    let mut targets = BTreeSet::new();
    for payload in Parser::new(0).parse_all(module) {
        match payload.ok()? {
            Payload::ElementSection(section) => {
                for element in section {
                    let element = element.ok()?;
                    let count = match &element.items {
                        ElementItems::Functions(functions) => functions.count(),
                        ElementItems::Expressions(_, expressions) => expressions.count(),
                    };
                    if let (ElementKind::Active { table_index, .. }, 1..) = (element.kind, count) {
                        targets.insert((CoreKind::Table, table_index.unwrap_or(0)));
                    }
                }
            }
            Payload::DataSection(section) => {
                for data in section {
                    let data = data.ok()?;
                    if let (DataKind::Active { memory_index, .. }, [_, ..]) = (data.kind, data.data)
                    {
                        targets.insert((CoreKind::Memory, memory_index));
                    }
                }
            }
            _ => {}
        }
    }
    Some(targets)
}

/// Writes a module without some of its elements.
pub(super) struct Relieve {
    gone: BTreeSet<u32>,
    next: u32,
}

impl Relieve {
    pub(super) fn of(module: &[u8], gone: BTreeSet<u32>) -> Result<Vec<u8>, Error<Nowhere>> {
        let mut relieved = Module::new();
        let mut relieve = Self { gone, next: 0 };
        relieve.parse_core_module(&mut relieved, Parser::new(0), module)?;
        Ok(relieved.finish())
    }
}

impl Reencode for Relieve {
    type Error = Nowhere;

    fn element_index(&mut self, _: u32) -> Result<u32, Error<Nowhere>> {
        // The numbers of those that stay would change.
        Err(Error::UserError(Nowhere))
    }

    fn parse_element(
        &mut self,
        elements: &mut ElementSection,
        element: Element<'_>,
    ) -> Result<(), Error<Nowhere>> {
        let number = self.next;
        self.next += 1;
        if self.gone.contains(&number) {
            return Ok(());
        }
        utils::parse_element(self, elements, element)
    }
}

/// What a module writes into a table when it is made, all by its own numbers.
pub(super) struct WrittenElements {
    pub(super) table: u32,
    /// The offset and the functions, if they are constants.
    pub(super) known: Option<(i32, Vec<u32>)>,
}

impl WrittenElements {
    /// Returns those of a module, in its order; `None` in place of those that wait.
    pub(super) fn of(module: &[u8]) -> Option<Vec<Option<Self>>> {
        let mut all = Vec::new();
        for payload in Parser::new(0).parse_all(module) {
            if let Payload::ElementSection(section) = payload.ok()? {
                for element in section {
                    all.push(Self::written(element.ok()?));
                }
            }
        }
        Some(all)
    }

    fn written(element: Element<'_>) -> Option<Self> {
        let ElementKind::Active {
            table_index,
            offset_expr,
        } = element.kind
        else {
            return None;
        };
        let functions = match element.items {
            ElementItems::Functions(functions) => {
                functions.into_iter().collect::<Result<_, _>>().ok()
            }
            ElementItems::Expressions(..) => None,
        };
        Some(Self {
            table: table_index.unwrap_or(0),
            known: constant(&offset_expr).zip(functions),
        })
    }
}

/// Returns the value of an expression that is one constant.
fn constant(expression: &ConstExpr<'_>) -> Option<i32> {
    let mut operators = expression.get_operators_reader();
    let Operator::I32Const { value } = operators.read().ok()? else {
        return None;
    };
    matches!(operators.read(), Ok(Operator::End)).then_some(value)
}
