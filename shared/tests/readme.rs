//! The README's table of settings is the code's.

const README: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../README.md");
const BEGIN: &str = "<!-- settings -->\n";
const END: &str = "<!-- /settings -->";

/// With `UPDATE_README=1` in the environment the table is written instead of compared.
#[test]
fn the_readmes_settings_are_those_of_the_code() {
    let readme = std::fs::read_to_string(README).unwrap();
    let (before, rest) = readme.split_once(BEGIN).unwrap();
    let (table, after) = rest.split_once(END).unwrap();
    let wanted = bookly_shared::config::table::markdown();
    if std::env::var_os("UPDATE_README").is_some() {
        std::fs::write(README, format!("{before}{BEGIN}{wanted}{END}{after}")).unwrap();
        return;
    }
    assert_eq!(table, wanted, "run: UPDATE_README=1 cargo test -p bookly-shared --test readme");
}
