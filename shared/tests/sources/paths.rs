//! The paths in a file's tokens.

use proc_macro2::{Delimiter, TokenTree};

use crate::read::{Module, is_punct, word};

/// Whether a `use` begins here; `impl Trait + use<'a>` is none.
pub(crate) fn is_use(tokens: &[TokenTree], index: usize) -> bool {
    is_word(tokens, index, "use") && !tokens.get(index + 1).is_none_or(|next| is_punct(next, '<'))
}

/// Where the statement ends that begins here.
pub(crate) fn end(tokens: &[TokenTree], index: usize) -> usize {
    index + tokens[index..].iter().position(|token| is_punct(token, ';')).unwrap()
}

/// The module of the block at `index`: `mod name { … }` has one of its own, and `mod $name { … }` of a macro.
pub(crate) fn within(module: &Module, tokens: &[TokenTree], index: usize) -> Module {
    let before = |distance| index.checked_sub(distance).and_then(|at| word(tokens.get(at)));
    match (before(3).as_deref(), before(2).as_deref(), before(1)) {
        (_, Some("mod"), Some(name)) | (Some("mod"), None, Some(name)) => joined(module, &name),
        _ => module.clone(),
    }
}

pub(crate) fn is_word(tokens: &[TokenTree], index: usize, wanted: &str) -> bool {
    word(tokens.get(index)).is_some_and(|word| word == wanted)
}

pub(crate) fn is_separator(tokens: &[TokenTree], index: usize) -> bool {
    [index, index + 1].iter().all(|at| tokens.get(*at).is_some_and(|token| is_punct(token, ':')))
}

/// `a::b::c`, as far as it consists of names.
pub(crate) fn path_at(tokens: &[TokenTree], mut index: usize) -> Module {
    let mut path = Vec::new();
    while let Some(name) = word(tokens.get(index)) {
        path.push(name);
        if !is_separator(tokens, index + 1) {
            break;
        }
        index += 3;
    }
    path
}

/// The paths of a `use`, and the names that they get: `a::{b, c::D as E}` is `a::b` as `b` and `a::c::D` as `E`.
pub(crate) fn tree(tokens: &[TokenTree]) -> Vec<(Module, String)> {
    let mut path = path_at(tokens, 0);
    if let Some(TokenTree::Group(list)) = tokens.last()
        && list.delimiter() == Delimiter::Brace
    {
        let items: Vec<TokenTree> = list.stream().into_iter().collect();
        let items = items.split(|token| is_punct(token, ',')).filter(|item| !item.is_empty());
        return items.flat_map(tree).map(|(rest, name)| joined_tree(&path, rest, name)).collect();
    }
    let name = word(tokens.last()).unwrap_or_default();
    if path.len() > 1 {
        path.pop_if(|last| last == "self");
    }
    vec![(path, name)]
}

/// `self` in a list is what stands before the list.
fn joined_tree(path: &Module, rest: Module, name: String) -> (Module, String) {
    let rest = if rest == ["self"] { Module::new() } else { rest };
    let path = [path.clone(), rest].concat();
    let name = if name == "self" { path.last().cloned().unwrap_or_default() } else { name };
    (path, name)
}

pub(crate) fn joined(module: &Module, child: &str) -> Module {
    module.iter().cloned().chain([child.to_owned()]).collect()
}
