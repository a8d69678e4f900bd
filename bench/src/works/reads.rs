//! How long requests with a session take while many people sign up.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, ensure};
use bookly_e2e::person::Person;
use serde_json::{Value, json};

use super::Bench;
use super::worker::CONCURRENCY;
use crate::http::{Load, ask, connect, get, post};
use crate::machine::Meter;
use crate::people;
use crate::report::Section;
use crate::sink::Sink;
use crate::system::System;

/// Between an answer and the next request, so that the readers' own load does not count.
const PAUSE: Duration = Duration::from_millis(10);
const BOOKS: u64 = 50;
const PATHS: [(&str, &str); 2] = [("/auth/me", "GET /auth/me"), ("/books?limit=20", "GET /books, 20 of 50")];

/// Measures it.
pub(super) async fn measure(bench: &Bench) -> anyhow::Result<Section> {
    let mut section = Section::new("Readers while 64 clients sign up");
    let mut with = PATHS.map(|(path, name)| (path, name, [const { Vec::new() }; 3]));
    let mut rate = Vec::new();
    for _ in 0..bench.runs {
        let system = bench.system(Sink::start(Duration::ZERO).await?).await?;
        let (_api, _worker) = (system.api().await?, system.worker(CONCURRENCY).await?);
        let token = log_in(&system).await?;
        for (path, _, runs) in &mut with {
            let quiet = reader(&system, path, &token, bench.time(3)).run().await?.all(200)?;
            let sign_ups = people::sign_ups(&system.address, bench.clients(64), bench.time(10));
            let readers = reader(&system, path, &token, bench.time(10));
            let meter = Meter::start()?;
            let (signed_up, read) = tokio::try_join!(sign_ups.run(), readers.run())?;
            section.beside(meter.read()?.others);
            rate.push(signed_up.all(201)?.per_second());
            let read = read.all(200)?;
            for (runs, ms) in
                runs.iter_mut().zip([quiet.within_ms(0.99), read.within_ms(0.5), read.within_ms(0.99)])
            {
                runs.push(ms);
            }
        }
    }
    for (_, name, [quiet, p50, p99]) in with {
        section.row(format!("{name}, nobody signs up, p99"), quiet, "ms", "");
        section.row(format!("{name}, p50"), p50, "ms", "");
        section.row(format!("{name}, p99"), p99, "ms", "≤ 20");
    }
    section.row("meanwhile", rate, "sign-ups/s", "");
    Ok(section)
}

fn reader(system: &System, path: &'static str, token: &str, time: Duration) -> Load {
    let token = token.to_owned();
    let make = Arc::new(move |_| get(path, &token));
    Load { address: system.address.clone(), clients: 2, time, pause: PAUSE, make }
}

/// The access token of a verified person with books.
async fn log_in(system: &System) -> anyhow::Result<String> {
    let person = Person::new();
    let mut connection = connect(&system.address).await?;
    ask(&mut connection, post("/auth/signup", &serde_json::to_value(&person)?)?).await?;
    system.run("UPDATE users SET is_verified = true").await?;
    let words = json!({ "email": person.email, "password": person.password });
    let (_, answer) = ask(&mut connection, post("/auth/login", &words)?).await?;
    let answer: Value = serde_json::from_slice(&answer)?;
    system
        .run(&format!(
            "INSERT INTO books (uid, title, author, publisher, published_date, page_count, language, user_uid, created_at,
                                update_at)
             SELECT gen_random_uuid(), 'Title ' || n, 'Author', 'Publisher', now()::date, n, 'English', uid, now(), now()
             FROM users CROSS JOIN generate_series(1, {BOOKS}) n"
        ))
        .await?;
    let token = answer.get("access_token").and_then(Value::as_str).context("an access token")?.to_owned();
    let (status, _) = ask(&mut connection, get("/auth/me", &token)?).await?;
    ensure!(status == 200, "the access token does not open the account: {status}");
    Ok(token)
}
