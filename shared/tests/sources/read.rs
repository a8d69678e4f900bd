//! The product code of a crate as tokens.

use std::fs;
use std::path::{Path, PathBuf};

use proc_macro2::{TokenStream, TokenTree};

/// The path of a module from the root of its crate; empty for the root.
pub(crate) type Module = Vec<String>;

/// A file of a crate.
pub(crate) struct SourceFile {
    pub(crate) module: Module,
    pub(crate) tokens: Vec<TokenTree>,
}

impl SourceFile {
    pub(crate) fn new(module: Module, text: &str) -> SourceFile {
        SourceFile { module, tokens: without_tests(text.parse().unwrap()) }
    }
}

/// The files of a crate of the workspace. `main.rs` beside `lib.rs` is a crate of its own, of one file.
pub(crate) fn files_of(name: &str) -> Vec<SourceFile> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(name).join("src");
    let root = if source.join("lib.rs").exists() { "lib" } else { "main" };
    let mut files = Vec::new();
    for path in rust_files(&source) {
        let relative = path.strip_prefix(&source).unwrap().with_extension("");
        let mut module: Module = relative.iter().map(|part| part.to_str().unwrap().to_owned()).collect();
        if module == [root] {
            module.clear();
        }
        if module.iter().any(|part| ["tests", "testing", "main", "bin"].contains(&part.as_str())) {
            continue;
        }
        module.pop_if(|last| last == "mod");
        files.push(SourceFile::new(module, &fs::read_to_string(path).unwrap()));
    }
    assert!(files.len() > 20, "{name} has more files than {}", files.len());
    files
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries
        .flat_map(|path| if path.is_dir() { rust_files(&path) } else { vec![path] })
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
        .collect()
}

/// Leaves out items with `#[cfg(test)]`, at the top of a file or within a block.
fn without_tests(tokens: TokenStream) -> Vec<TokenTree> {
    let mut kept = Vec::new();
    let mut tokens = tokens.into_iter();
    while let Some(token) = tokens.next() {
        if matches!(&token, TokenTree::Group(group) if group.to_string().replace(' ', "") == "[cfg(test)]") {
            kept.pop_if(|before| is_punct(before, '#'));
            tokens.find(ends_item);
        } else {
            kept.push(token);
        }
    }
    kept
}

fn ends_item(token: &TokenTree) -> bool {
    is_punct(token, ';')
        || matches!(token, TokenTree::Group(group) if group.delimiter() == proc_macro2::Delimiter::Brace)
}

pub(crate) fn is_punct(token: &TokenTree, wanted: char) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.as_char() == wanted)
}

/// The token's text, if it is an identifier or a keyword.
pub(crate) fn word(token: Option<&TokenTree>) -> Option<String> {
    match token {
        Some(TokenTree::Ident(ident)) => Some(ident.to_string()),
        _ => None,
    }
}
