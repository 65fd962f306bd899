//! A function's description of itself: name, doc comment, arguments, result.

use proc_macro2::Ident;
use syn::{Attribute, Error, Expr, ExprLit, FnArg, ItemFn, Lit, Meta, Result, ReturnType, Type};

/// A function that can be a tool.
pub(crate) struct Signature<'function> {
    pub(crate) name: &'function Ident,
    pub(crate) description: String,
    pub(crate) arguments: Option<&'function Type>,
    pub(crate) returned: &'function Type,
}

impl<'function> Signature<'function> {
    /// Reads the function. Fails with the reason if it cannot be a tool.
    pub(crate) fn read(function: &'function ItemFn) -> Result<Self> {
        let name = &function.sig.ident;
        refuse_qualifiers(function)?;
        let description = description(&function.attrs);
        if description.is_empty() {
            return Err(Error::new_spanned(
                name,
                "a tool needs a doc comment (`/// What it does.`): it is the description that a model decides by",
            ));
        }
        let arguments = arguments(function)?;
        let ReturnType::Type(_, returned) = &function.sig.output else {
            return Err(Error::new_spanned(
                name,
                "a tool returns `Result<T, Error>`",
            ));
        };
        Ok(Self {
            name,
            description,
            arguments,
            returned,
        })
    }
}

fn refuse_qualifiers(function: &ItemFn) -> Result<()> {
    let sig = &function.sig;
    if let Some(word) = &sig.asyncness {
        return Err(Error::new_spanned(
            word,
            "a tool is not async: requests wait by themselves, and `Call::send_all` sends several at once",
        ));
    }
    if let Some(word) = &sig.unsafety {
        return Err(Error::new_spanned(word, "a tool is not unsafe"));
    }
    if !sig.generics.params.is_empty() {
        return Err(Error::new_spanned(
            &sig.generics,
            "a tool is not generic: its schema is one",
        ));
    }
    Ok(())
}

fn arguments(function: &ItemFn) -> Result<Option<&Type>> {
    let shape = "a tool takes `call: &Call` and, if it has arguments, one more parameter: a type with \
                 `#[derive(Deserialize, JsonSchema)]`";
    let mut parameters = function.sig.inputs.iter();
    match parameters.next() {
        Some(FnArg::Typed(call)) if matches!(&*call.ty, Type::Reference(_)) => {}
        _ => return Err(Error::new_spanned(&function.sig.ident, shape)),
    }
    let arguments = match parameters.next() {
        Some(FnArg::Typed(arguments)) => Some(&*arguments.ty),
        _ => None,
    };
    match parameters.next() {
        Some(third) => Err(Error::new_spanned(third, shape)),
        None => Ok(arguments),
    }
}

/// Returns the doc comment, without the space after each `///`.
fn description(attributes: &[Attribute]) -> String {
    let lines: Vec<String> = attributes.iter().filter_map(doc_line).collect();
    lines.join("\n").trim().to_owned()
}

fn doc_line(attribute: &Attribute) -> Option<String> {
    let Meta::NameValue(pair) = &attribute.meta else {
        return None;
    };
    let Expr::Lit(ExprLit {
        lit: Lit::Str(text),
        ..
    }) = &pair.value
    else {
        return None;
    };
    let text = text.value();
    let trimmed = text.strip_prefix(' ').unwrap_or(&text).trim_end();
    pair.path.is_ident("doc").then(|| trimmed.to_owned())
}

#[cfg(test)]
mod tests {
    use syn::{ItemFn, parse_quote};

    use super::Signature;

    fn message(function: &ItemFn) -> String {
        Signature::read(function)
            .err()
            .map(|error| error.to_string())
            .unwrap_or_default()
    }

    #[test]
    fn the_doc_comment_is_the_description() {
        let function: ItemFn = parse_quote! {
            /// Says where an order is.
            ///
            /// Not for invoices.
            fn status(call: &Call, args: Args) -> Result<Order, Error> { todo() }
        };
        let read = Signature::read(&function);
        assert!(read.is_ok_and(|read| read.description
            == "Says where an order is.\n\nNot for invoices."
            && read.arguments.is_some()));
    }

    #[test]
    fn what_cannot_be_a_tool_is_told_why() {
        let undocumented = parse_quote! { fn a(call: &Call) -> Result<(), Error> { todo() } };
        assert!(message(&undocumented).contains("doc comment"));
        let waiting = parse_quote! { async fn a(call: &Call) -> Result<(), Error> { todo() } };
        assert!(message(&waiting).contains("send_all"));
        let bare = parse_quote! { #[doc = "A."] fn a() -> Result<(), Error> { todo() } };
        assert!(message(&bare).contains("`call: &Call`"));
        let owned = parse_quote! { #[doc = "A."] fn a(args: Args) -> Result<(), Error> { todo() } };
        assert!(message(&owned).contains("`call: &Call`"));
        let three = parse_quote! { #[doc = "A."] fn a(c: &Call, a: A, b: B) -> Result<(), Error> { todo() } };
        assert!(message(&three).contains("one more parameter"));
        let nothing = parse_quote! { #[doc = "A."] fn a(call: &Call) { todo() } };
        assert!(message(&nothing).contains("Result<T, Error>"));
        let generic =
            parse_quote! { #[doc = "A."] fn a<T>(call: &Call) -> Result<T, Error> { todo() } };
        assert!(message(&generic).contains("not generic"));
    }
}
