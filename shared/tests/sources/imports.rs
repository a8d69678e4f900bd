//! No file of a crate imports one that imports it, directly or through others.
//!
//! A file imports another one when it names something of it: in a `use`, in a re-export, or by a path in the code. What
//! is named through a re-export counts as of the file that defines it. `mod` alone is no import, so a parent may declare
//! and re-export its children as long as they use nothing that it defines itself.

use std::collections::{BTreeMap, BTreeSet};

use proc_macro2::TokenTree;

use crate::paths::{end, is_separator, is_use, is_word, joined, path_at, tree, within};
use crate::read::{Module, SourceFile, files_of, is_punct, word};

/// What the files of a crate name.
#[derive(Default)]
struct Crate {
    files: BTreeSet<Module>,
    /// The module that names a path, and the path as it is written.
    named: Vec<(Module, Module)>,
    /// A name in a module, and the path that it stands for, from the crate's root.
    names: BTreeMap<(Module, String), Module>,
}

impl Crate {
    fn of(files: Vec<SourceFile>) -> Crate {
        let mut read =
            Crate { files: files.iter().map(|file| file.module.clone()).collect(), ..Crate::default() };
        for file in &files {
            read.add_uses(&file.module, &file.tokens);
        }
        for file in &files {
            read.add_paths(&file.module, &file.tokens);
        }
        read
    }

    fn add_uses(&mut self, module: &Module, tokens: &[TokenTree]) {
        for (index, token) in tokens.iter().enumerate() {
            if is_use(tokens, index) {
                // In a macro `$crate`.
                let start = if is_punct(&tokens[index + 1], '$') { index + 2 } else { index + 1 };
                for (path, name) in tree(&tokens[start..end(tokens, index)]) {
                    if let Some(path) = self.absolute(module, &path) {
                        self.names.insert((module.clone(), name), path.clone());
                    }
                    self.named.push((module.clone(), path));
                }
            }
            // An exported macro is an item of the root, whatever file defines it.
            if is_word(tokens, index, "macro_rules") {
                let name = word(tokens.get(index + 2)).unwrap();
                self.names.insert((Module::new(), name.clone()), joined(module, &name));
            }
            if let TokenTree::Group(group) = token {
                self.add_uses(
                    &within(module, tokens, index),
                    &group.stream().into_iter().collect::<Vec<_>>(),
                );
            }
        }
    }

    /// The paths in the code, also those in the arguments of macros. Those of `use` are read elsewhere, and that of
    /// `pub(in …)` gives no name.
    fn add_paths(&mut self, module: &Module, tokens: &[TokenTree]) {
        let mut end_of_use = 0;
        for (index, token) in tokens.iter().enumerate() {
            if index < end_of_use {
                continue;
            }
            if is_use(tokens, index) {
                end_of_use = end(tokens, index);
                continue;
            }
            let is_start = index < 2 || !is_separator(tokens, index - 2);
            let path = path_at(tokens, index);
            if is_start && path.len() > 1 {
                self.named.push((module.clone(), path));
            }
            if let TokenTree::Group(group) = token
                && !(index > 0 && is_word(tokens, index - 1, "pub"))
            {
                self.add_paths(
                    &within(module, tokens, index),
                    &group.stream().into_iter().collect::<Vec<_>>(),
                );
            }
        }
    }

    /// The path from the crate's root; `None` for another crate.
    fn absolute(&self, module: &Module, path: &[String]) -> Option<Module> {
        let (first, rest) = path.split_first()?;
        let mut base = module.clone();
        match first.as_str() {
            "crate" => base.clear(),
            "self" => {}
            "super" => {
                base.pop();
                if rest.first().is_some_and(|part| part == "super") {
                    return self.absolute(&base, rest);
                }
            }
            child if self.files.contains(&joined(&base, child)) => base.push(child.to_owned()),
            name => {
                let file = self.longest_file(module);
                base = self
                    .names
                    .get(&(module.clone(), name.to_owned()))
                    .or_else(|| self.names.get(&(file, name.to_owned())))?
                    .clone();
            }
        }
        Some([&base, rest].concat())
    }

    fn longest_file(&self, path: &[String]) -> Module {
        let length = (0..=path.len()).rev().find(|length| self.files.contains(&path[..*length]));
        path[..length.unwrap_or(0)].to_vec()
    }

    /// The file that defines what a path names.
    fn file_of(&self, path: &[String]) -> Module {
        let file = self.longest_file(path);
        let defined = path.get(file.len()).and_then(|name| self.names.get(&(file.clone(), name.clone())));
        match defined {
            Some(meant) if meant != path => self.file_of(&[meant, &path[file.len() + 1..]].concat()),
            _ => file,
        }
    }

    fn edges(&self) -> BTreeMap<Module, BTreeSet<Module>> {
        let mut edges: BTreeMap<Module, BTreeSet<Module>> = BTreeMap::new();
        for (module, path) in &self.named {
            let from = self.longest_file(module);
            if let Some(path) = self.absolute(module, path) {
                let to = self.file_of(&path);
                if from != to {
                    edges.entry(from).or_default().insert(to);
                }
            }
        }
        edges
    }

    /// For each file that is on a circle, a shortest one.
    fn circles(&self) -> BTreeSet<String> {
        let edges = self.edges();
        let names =
            |module: &Module| if module.is_empty() { "the root".to_owned() } else { module.join("::") };
        let circles = self.files.iter().filter_map(|module| circle(&edges, module));
        circles
            .map(|mut files| {
                files.sort();
                files.iter().map(names).collect::<Vec<_>>().join(", ")
            })
            .collect()
    }
}

/// The files on a shortest way from `start` back to it, if there is one.
fn circle(edges: &BTreeMap<Module, BTreeSet<Module>>, start: &Module) -> Option<Vec<Module>> {
    let mut ways = vec![vec![start.clone()]];
    let mut seen = BTreeSet::new();
    while !ways.is_empty() {
        let mut longer = Vec::new();
        for way in ways {
            for next in edges.get(way.last().unwrap()).into_iter().flatten() {
                if next == start {
                    return Some(way);
                }
                if seen.insert(next.clone()) {
                    longer.push([way.clone(), vec![next.clone()]].concat());
                }
            }
        }
        ways = longer;
    }
    None
}

#[test]
fn no_files_import_each_other() {
    let mut circles = BTreeSet::new();
    for name in ["api", "worker", "shared", "e2e", "bench"] {
        let read = Crate::of(files_of(name));
        let imports: usize = read.edges().values().map(BTreeSet::len).sum();
        assert!(imports > 20, "{name}: {imports} imports");
        circles.extend(read.circles().into_iter().map(|files| format!("{name}: {files}")));
    }
    assert!(circles.is_empty(), "{circles:#?}");
}

/// The circles of a crate with these files.
fn circles_of(files: &[(&str, &str)]) -> Vec<String> {
    let module = |path: &str| path.split("::").filter(|part| !part.is_empty()).map(str::to_owned).collect();
    let files = files.iter().map(|(path, text)| SourceFile::new(module(path), text)).collect();
    Crate::of(files).circles().into_iter().collect()
}

#[test]
fn what_a_file_names_is_seen_wherever_it_stands() {
    let child = ("a::b", "use super::{self, A};");
    for parent in [
        "mod b; use b::{self, c::D as E}; struct A;",
        "mod b; fn f() { use self::b::B; } struct A;",
        "mod b; fn f() { g!(x, b::B { y }) } struct A;",
        "mod b; fn f() { for x in b::ALL {} } struct A;",
        "mod b; pub use b::B; struct A;",
        "use crate::a as us; fn f() -> us::b::B {} struct A;",
    ] {
        assert_eq!(circles_of(&[("", "mod a;"), ("a", parent), child]), ["a, a::b"], "{parent}");
    }
    let longer = [
        ("", ""),
        ("a", "fn f() { crate::b::f() }"),
        ("b", "use crate::c::C;"),
        ("c", "type C = super::a::A;"),
    ];
    assert_eq!(circles_of(&longer), ["a, b, c"]);
}

#[test]
fn declarations_re_exports_of_others_and_tests_are_no_circle() {
    for parent in ["mod b; mod c; struct A;", "mod b; mod c; pub use c::A; pub use b::B;"] {
        let files = [("", "mod a;"), ("a", parent), ("a::b", "use super::A;"), ("a::c", "struct A;")];
        assert_eq!(circles_of(&files), [""; 0], "{parent}");
    }
    let test = "mod b; struct A; #[cfg(test)] mod tests { use super::b::B; }";
    assert_eq!(circles_of(&[("", "mod a;"), ("a", test), ("a::b", "use super::A;")]), [""; 0]);
}
