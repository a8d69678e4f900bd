//! A type's name is unique in its crate: a search for it, or an error that names it, leads to one place.

use std::collections::{BTreeMap, BTreeSet};

use proc_macro2::TokenTree;

use crate::read::{files_of, word};

/// `type` within a block is a type of a trait.
fn add_names(
    tokens: &[TokenTree],
    file: &str,
    keywords: &[&str],
    places: &mut BTreeMap<String, Vec<String>>,
) {
    for (index, token) in tokens.iter().enumerate() {
        match token {
            TokenTree::Group(group) => {
                let block: Vec<TokenTree> = group.stream().into_iter().collect();
                add_names(&block, file, &["struct", "enum", "trait"], places);
            }
            TokenTree::Ident(keyword) if keywords.iter().any(|word| keyword == word) => {
                if let Some(name) = word(tokens.get(index + 1)) {
                    places.entry(name).or_default().push(file.to_owned());
                }
            }
            _ => {}
        }
    }
}

#[test]
fn no_two_types_of_a_crate_have_the_same_name() {
    let mut twice = BTreeSet::new();
    for name in ["api", "worker", "shared", "e2e", "bench"] {
        let mut places = BTreeMap::new();
        for file in files_of(name) {
            let keywords = ["struct", "enum", "trait", "type"];
            add_names(&file.tokens, &file.module.join("::"), &keywords, &mut places);
        }
        assert!(places.len() > 20, "{name}: {places:?}");
        for (type_name, files) in places {
            if files.len() > 1 {
                twice.insert(format!("{name}: {type_name} in {}", files.join(", ")));
            }
        }
    }
    assert!(twice.is_empty(), "{twice:#?}");
}
