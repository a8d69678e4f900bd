//! What workers write of the mail servers: on both databases, with times chosen by the tests.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "in tests a panic is the verdict")]

mod scratch;

use bookly_shared::db::Db;
use bookly_shared::db::mail_servers::Circuit;
use bookly_shared::domain::MailServer;
use chrono::{DateTime, TimeDelta, Utc};

use crate::scratch::on_both;

fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_767_225_600, 0).unwrap() + TimeDelta::seconds(seconds)
}

fn servers(first: &'static str, fallback: &'static str) -> [Circuit; 2] {
    [(MailServer::First, first), (MailServer::Fallback, fallback)].map(|(server, circuit)| Circuit {
        server,
        address: format!("{server}.example.org:587"),
        circuit,
    })
}

/// Server, circuit, second of the first report and workers.
async fn shown(db: &Db, seconds: i64) -> Vec<(String, String, i64, i64)> {
    let rows = db.circuits(at(seconds)).await.unwrap();
    let line = |row: bookly_shared::db::mail_servers::Circuits| {
        (row.server, row.circuit, (row.since - at(0)).num_seconds(), row.workers)
    };
    rows.into_iter().map(line).collect()
}

fn line(server: &str, circuit: &str, since: i64, workers: i64) -> (String, String, i64, i64) {
    (server.into(), circuit.into(), since, workers)
}

#[tokio::test]
async fn workers_that_find_a_server_in_the_same_state_are_counted_together_until_they_are_gone() {
    let name = "workers_that_find_a_server_in_the_same_state_are_counted_together_until_they_are_gone";
    on_both(name, async |db: Db| {
        db.report_circuits("a", &servers("closed", "closed"), at(0)).await.unwrap();
        db.report_circuits("b", &servers("closed", "closed"), at(10)).await.unwrap();
        assert_eq!(shown(&db, 20).await, [line("first", "closed", 0, 2), line("fallback", "closed", 0, 2)]);

        // The time is that of the change, not of the last report.
        db.report_circuits("b", &servers("open", "closed"), at(30)).await.unwrap();
        db.report_circuits("b", &servers("open", "closed"), at(50)).await.unwrap();
        let apart =
            [line("first", "closed", 0, 1), line("first", "open", 30, 1), line("fallback", "closed", 0, 2)];
        assert_eq!(shown(&db, 50).await, apart);

        // `a` wrote nothing for a minute; `b` stops.
        assert_eq!(shown(&db, 61).await, [line("first", "open", 30, 1), line("fallback", "closed", 10, 1)]);
        db.forget_circuits("b").await.unwrap();
        assert_eq!(shown(&db, 61).await, []);
        for (seconds, purged) in [(3600, 0), (3601, 2)] {
            let rows = db.purge(TimeDelta::days(30), TimeDelta::hours(1), at(seconds)).await.unwrap();
            assert_eq!(rows, purged);
        }
    })
    .await;
}
