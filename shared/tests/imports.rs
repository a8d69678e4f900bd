//! Which files import which: no file of a crate imports one that imports it, directly or through others.
//!
//! What counts are `use` statements. A re-export (`pub use`) is a folder's table of contents: an import through it
//! is an import of the file that it names.

#![allow(clippy::unwrap_used, reason = "clippy takes the helpers of an integration test for library code")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

const CRATES: [&str; 5] = ["api", "worker", "shared", "e2e", "bench"];

type Module = Vec<String>;

/// The modules of a crate that are files, without tests.
#[derive(Default)]
struct Crate {
    files: BTreeMap<Module, PathBuf>,
    imports: BTreeMap<Module, Vec<Module>>,
    /// A name of a module, and the path that it stands for.
    re_exports: BTreeMap<(Module, String), Module>,
}

impl Crate {
    fn read(name: &str) -> Crate {
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(name).join("src");
        let mut read = Crate::default();
        for path in rust_files(&source) {
            let relative = path.strip_prefix(&source).unwrap().with_extension("");
            let mut module: Module = relative.iter().map(|part| part.to_str().unwrap().to_owned()).collect();
            if module.iter().any(|part| part.starts_with("test") || part == "main" || part == "bin") {
                continue;
            }
            module.pop_if(|last| last == "mod" || last == "lib");
            read.files.insert(module, path);
        }
        for (module, path) in read.files.clone() {
            read.read_uses(&module, &fs::read_to_string(path).unwrap());
        }
        read
    }

    fn read_uses(&mut self, module: &Module, text: &str) {
        let product = text.split("#[cfg(test)]\nmod ").next().unwrap();
        for statement in product.split(';') {
            let Some((before, tree)) = split_use(statement) else { continue };
            for path in paths(tree) {
                let Some(path) = self.absolute(module, &path) else { continue };
                if before.starts_with("pub") {
                    self.re_exports.insert((module.clone(), path.last().unwrap().clone()), path);
                } else {
                    self.imports.entry(module.clone()).or_default().push(path);
                }
            }
        }
    }

    /// The path from the crate's root; `None` for another crate.
    fn absolute(&self, module: &Module, path: &[String]) -> Option<Module> {
        let mut base = module.clone();
        let mut rest = path;
        match rest.first()?.as_str() {
            "crate" => (base, rest) = (Module::new(), &rest[1..]),
            "self" => rest = &rest[1..],
            "super" => {
                while rest.first().is_some_and(|part| part == "super") {
                    base.pop();
                    rest = &rest[1..];
                }
            }
            child => _ = self.files.get(&joined(&base, child))?,
        }
        base.extend_from_slice(rest);
        (!base.is_empty()).then_some(base)
    }

    /// The file that an import names, through re-exports.
    fn file_of(&self, path: &Module) -> Module {
        let mut file = Module::new();
        for (index, part) in path.iter().enumerate() {
            if self.files.contains_key(&joined(&file, part)) {
                file.push(part.clone());
            } else if let Some(meant) = self.re_exports.get(&(file.clone(), part.clone()))
                && meant != path
            {
                return self.file_of(&[meant, &path[index + 1..]].concat());
            } else {
                break;
            }
        }
        file
    }

    fn edges(&self) -> BTreeMap<Module, BTreeSet<Module>> {
        let files_of = |paths: &Vec<Module>| paths.iter().map(|path| self.file_of(path)).collect();
        let mut edges: BTreeMap<Module, BTreeSet<Module>> =
            self.imports.iter().map(|(module, paths)| (module.clone(), files_of(paths))).collect();
        edges.iter_mut().for_each(|(module, to)| _ = to.remove(module));
        edges
    }
}

/// A statement's visibility and its tree, if it is a `use` statement.
fn split_use(statement: &str) -> Option<(&str, &str)> {
    let start =
        if statement.starts_with("use ") { 0 } else { statement.rfind("\nuse ").map_or(0, |at| at + 1) };
    let visible = statement.rfind("\npub use ").or_else(|| statement.rfind("\npub(")).map(|at| at + 1);
    let line = visible.map_or(&statement[start..], |at| &statement[at..]);
    let (before, tree) = line.split_once("use ")?;
    let is_use =
        before.is_empty() || (before.starts_with("pub") && !before.contains('\n') && !before.contains("fn"));
    is_use.then_some((before, tree))
}

/// The paths of a tree: `a::{b, c::D}` is `a::b` and `a::c::D`.
fn paths(tree: &str) -> Vec<Module> {
    let tree = tree.trim();
    let Some((prefix, list)) = tree.split_once('{') else {
        let path = tree.split(" as ").next().unwrap();
        return vec![
            path.split("::").map(|part| part.trim().to_owned()).filter(|part| part != "self").collect(),
        ];
    };
    let list = list.trim_end().strip_suffix('}').unwrap();
    let prefix: Module =
        prefix.split("::").map(str::trim).filter(|part| !part.is_empty()).map(str::to_owned).collect();
    let (mut depth, mut items) = (0, vec![String::new()]);
    for c in list.chars() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                items.push(String::new());
                continue;
            }
            _ => {}
        }
        items.last_mut().unwrap().push(c);
    }
    let items = items.iter().filter(|item| !item.trim().is_empty());
    items.flat_map(|item| paths(item)).map(|path| [prefix.clone(), path].concat()).collect()
}

fn joined(module: &Module, child: &str) -> Module {
    module.iter().cloned().chain([child.to_owned()]).collect()
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries
        .flat_map(|path| if path.is_dir() { rust_files(&path) } else { vec![path] })
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
        .collect()
}

/// The files on a way from `to` back to it, if there is one.
fn circle(edges: &BTreeMap<Module, BTreeSet<Module>>, start: &Module) -> Option<Vec<String>> {
    let mut ways = vec![vec![start.clone()]];
    let mut seen = BTreeSet::new();
    while !ways.is_empty() {
        let mut longer = Vec::new();
        for way in ways {
            for next in edges.get(way.last().unwrap()).into_iter().flatten() {
                if next == start {
                    return Some(way.iter().map(|module| module.join("::")).collect());
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
    for name in CRATES {
        let read = Crate::read(name);
        let edges = read.edges();
        assert!(
            name == "bench" || edges.values().map(BTreeSet::len).sum::<usize>() > 20,
            "{name}: {edges:?}"
        );
        for module in read.files.keys() {
            if let Some(mut files) = circle(&edges, module) {
                files.sort();
                circles.insert(format!("{name}: {}", files.join(", ")));
            }
        }
    }
    assert!(circles.is_empty(), "{circles:#?}");
}

#[test]
fn trees_of_imports_are_read() {
    let read = paths("crate::{a::{self, B}, c as d}");
    assert_eq!(read, [vec!["crate", "a"], vec!["crate", "a", "B"], vec!["crate", "c"]]);
    assert_eq!(split_use("//! Text\n\nuse a::b"), Some(("", "a::b")));
    assert_eq!(split_use("\npub(crate) use a::b"), Some(("pub(crate) ", "a::b")));
    assert_eq!(split_use("\npub fn f() {\n    let used = 1"), None);
}
