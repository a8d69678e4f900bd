//! Every SQL statement of `src/db` is planned by the databases that it is for, so that none can break unnoticed.
//!
//! The statements are read from the sources: each is one constant, and the end of its name tells the database. SQLite
//! always runs, Postgres when there is a server (`scratch`).
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "in tests a panic is the verdict")]

mod scratch;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use bookly_shared::db::Db;
use bookly_shared::domain::EmailKind;
use sqlx::{AssertSqlSafe, Connection, PgConnection, SqliteConnection};

use crate::scratch::Postgres;

/// What a statement begins with.
const VERBS: [&str; 5] = ["SELECT ", "INSERT ", "UPDATE ", "DELETE ", "WITH "];

/// A string in the sources that begins as a statement does.
#[derive(Debug)]
struct Statement {
    file: PathBuf,
    /// The constant's; `None` where the string stands elsewhere.
    name: Option<String>,
    sql: String,
}

impl Statement {
    fn runs_on(&self, database: &str) -> bool {
        let name = self.name.as_deref().unwrap_or_default();
        let other = if database == "POSTGRES" { "_SQLITE" } else { "_POSTGRES" };
        !name.ends_with(other)
    }
}

fn statements() -> Vec<Statement> {
    let mut files = Vec::new();
    find_sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src/db"), &mut files);
    let found: Vec<Statement> = files.iter().flat_map(|file| statements_of(file)).collect();
    assert!(found.len() > 50, "only {} statements were found", found.len());
    found
}

fn find_sources(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            find_sources(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}

fn statements_of(file: &Path) -> Vec<Statement> {
    let source = std::fs::read_to_string(file).unwrap();
    let product = source.split("#[cfg(test)]").next().unwrap();
    let code: String = product.lines().filter(|line| !line.trim_start().starts_with("//")).fold(
        String::new(),
        |mut code, line| {
            code.push_str(line);
            code.push('\n');
            code
        },
    );
    let mut statements = Vec::new();
    let (mut rest, mut before) = (code.as_str(), "");
    while let Some((start, string, end)) = next_string(rest) {
        before = if start == 0 { before } else { &rest[..start] };
        let sql = string.trim_start();
        if VERBS.iter().any(|verb| sql.starts_with(verb)) {
            let name = constant_before(before);
            statements.push(Statement { file: file.to_owned(), name, sql: sql.to_owned() });
        }
        rest = &rest[end..];
    }
    statements
}

/// Where the next string literal begins, what it holds, and where the text after it begins.
fn next_string(code: &str) -> Option<(usize, String, usize)> {
    let start = code.find('"')?;
    if code[..start].ends_with("r#") {
        let end = start + 1 + code[start + 1..].find("\"#")?;
        return Some((start, code[start + 1..end].to_owned(), end + 2));
    }
    let (mut string, mut escaped) = (String::new(), false);
    for (offset, c) in code[start + 1..].char_indices() {
        match c {
            _ if escaped => {
                escaped = false;
                string.push(c);
            }
            '\\' => escaped = true,
            '"' => return Some((start, string, start + 1 + offset + 1)),
            _ => string.push(c),
        }
    }
    None
}

/// `CLAIM` of `const CLAIM: &str = `, if the code ends so.
fn constant_before(code: &str) -> Option<String> {
    let declaration = code.trim_end().trim_end_matches("r#").trim_end().strip_suffix(": &str =")?;
    let (_, name) = declaration.rsplit_once("const ")?;
    name.chars().all(|c| c.is_ascii_uppercase() || c == '_').then(|| name.to_owned())
}

#[test]
fn every_statement_is_one_constant() {
    let others: Vec<Statement> =
        statements().into_iter().filter(|statement| statement.name.is_none()).collect();
    assert!(others.is_empty(), "these statements are no constants: {others:#?}");
}

/// A list of kinds in a statement, with the priority that its condition names: the kinds of that priority, else all kinds.
fn lists_of_kinds(sql: &str) -> Vec<(Option<char>, BTreeSet<&str>)> {
    let list_at = |(place, found): (usize, &str)| {
        let (_, condition) = sql[..place].rsplit_once("WHERE ")?;
        let priority = condition.split_once("priority = ").and_then(|(_, rest)| rest.chars().next());
        Some((priority, sql[place + found.len()..].split(')').next()?.split(", ").collect()))
    };
    sql.match_indices(" kind IN (").filter_map(list_at).collect()
}

/// A statement that claims by priority lists the kinds of each; together they are all kinds.
#[test]
fn the_kinds_in_each_statement_are_the_kinds_of_the_enum() {
    let names = EmailKind::ALL.map(|kind| format!("'{kind}'"));
    let all: BTreeSet<&str> = names.iter().map(String::as_str).collect();
    let statements = statements();
    let mut of_priority: BTreeMap<char, BTreeSet<&str>> = BTreeMap::new();
    let mut statements_with_kinds = 0;
    for statement in &statements {
        let lists = lists_of_kinds(&statement.sql);
        for (priority, kinds) in &lists {
            let wanted = match priority {
                Some(priority) => of_priority.entry(*priority).or_insert_with(|| kinds.clone()),
                None => &all,
            };
            assert_eq!(kinds, wanted, "priority {priority:?} of {statement:#?}");
        }
        let together: BTreeSet<&str> = lists.iter().flat_map(|(_, kinds)| kinds.iter().copied()).collect();
        if !together.is_empty() {
            assert_eq!(together, all, "{statement:#?}");
            statements_with_kinds += 1;
        }
    }
    assert!(statements_with_kinds >= 7, "only {statements_with_kinds} statements list kinds");
    assert_eq!(of_priority.len(), 3, "{of_priority:?}");
}

/// The columns in brackets after each `INSERT INTO emails`.
fn inserted_columns() -> Vec<(PathBuf, Vec<String>)> {
    let mut inserts = Vec::new();
    for statement in statements() {
        for (place, found) in statement.sql.match_indices("INSERT INTO emails (") {
            let list = statement.sql[place + found.len()..].split(')').next().unwrap_or_default();
            let columns = list.split(',').map(|column| column.trim().to_owned()).collect();
            inserts.push((statement.file.clone(), columns));
        }
    }
    inserts
}

#[test]
fn every_statement_that_queues_an_email_writes_the_same_columns() {
    let inserts = inserted_columns();
    assert!(inserts.len() >= 3, "only {} statements were found", inserts.len());
    for (file, columns) in &inserts {
        assert_eq!(columns, &inserts[0].1, "{} and {}", file.display(), inserts[0].0.display());
    }
}

/// Columns of `emails` that an operator is not shown.
const NOT_SHOWN: [&str; 10] = [
    "priority",
    "mailbox",
    "user_uid",
    "auth_version",
    "context",
    "fencing_token",
    "enqueued_at",
    "claimed_at",
    "lease_until",
    "may_be_taken",
];

#[tokio::test]
async fn an_operator_is_shown_every_column_of_an_email_but_those_named_here() {
    let dir = tempfile::tempdir().unwrap();
    Db::sqlite(dir.path()).await.unwrap().close().await;
    let file = dir.path().join("bookly.sqlite");
    let mut connection = SqliteConnection::connect(&format!("sqlite://{}", file.display())).await.unwrap();
    // `pragma_table_info` leaves out generated columns: `priority`.
    let columns: Vec<String> = sqlx::query_scalar("SELECT name FROM pragma_table_xinfo('emails')")
        .fetch_all(&mut connection)
        .await
        .unwrap();
    let source = include_str!("../src/db/emails/list.rs");
    let (_, row) = source.split_once("pub struct EmailRow {").unwrap();
    let (row, _) = row.split_once("\n}").unwrap();
    for column in columns {
        let is_field = row.contains(&format!(" pub {column}: "));
        assert!(is_field != NOT_SHOWN.contains(&column.as_str()), "{column}: in EmailRow or in NOT_SHOWN");
    }
}

#[tokio::test]
async fn sqlite_plans_every_statement() {
    let dir = tempfile::tempdir().unwrap();
    Db::sqlite(dir.path()).await.unwrap().close().await;
    let file = dir.path().join("bookly.sqlite");
    let mut connection = SqliteConnection::connect(&format!("sqlite://{}", file.display())).await.unwrap();
    let mut failed = Vec::new();
    for statement in statements().iter().filter(|statement| statement.runs_on("SQLITE")) {
        let sql = format!("EXPLAIN QUERY PLAN {}", statement.sql);
        if let Err(error) = sqlx::query(AssertSqlSafe(sql)).fetch_all(&mut connection).await {
            failed.push(format!("{:?} of {}: {error}", statement.name, statement.file.display()));
        }
    }
    assert!(failed.is_empty(), "{failed:#?}");
}

#[tokio::test]
async fn postgres_plans_every_statement() {
    let Some(postgres) = Postgres::create("postgres_plans_every_statement").await else { return };
    let mut connection = postgres.connect().await;
    let mut failed = Vec::new();
    for statement in statements().iter().filter(|statement| statement.runs_on("POSTGRES")) {
        if let Err(error) = explain(&mut connection, &statement.sql).await {
            failed.push(format!("{:?} of {}: {error}", statement.name, statement.file.display()));
        }
    }
    assert!(failed.is_empty(), "{failed:#?}");
    postgres.remove().await;
}

/// Prepared as text, as an operator does in psql: the statement alone must tell the types of its parameters.
async fn explain(connection: &mut PgConnection, sql: &str) -> sqlx::Result<()> {
    run(connection, format!("PREPARE statement AS {sql}")).await?;
    let parameters: i32 = sqlx::query_scalar(
        "SELECT cardinality(parameter_types) FROM pg_prepared_statements WHERE name = 'statement'",
    )
    .fetch_one(&mut *connection)
    .await?;
    let nulls = vec!["NULL"; usize::try_from(parameters).unwrap()].join(", ");
    let arguments = if nulls.is_empty() { nulls } else { format!("({nulls})") };
    let explained = run(connection, format!("EXPLAIN EXECUTE statement {arguments}")).await;
    run(connection, "DEALLOCATE statement".to_owned()).await?;
    explained
}

async fn run(connection: &mut PgConnection, sql: String) -> sqlx::Result<()> {
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(connection).await.map(drop)
}
