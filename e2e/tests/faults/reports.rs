//! Reports of bounces and complaints while something fails: each counts once, whichever process is killed or server is
//! away, and no email follows it.
//!
//! Every test prints a line: fault, accepted, arrived, failed visibly, came twice, suppressed, seconds.

use std::time::Duration;

use bookly_e2e::poll::until;
use bookly_e2e::postgres::Postgres;
use bookly_e2e::prelude::*;
use bookly_e2e::reporter::{
    Reporter, Verdict, bounce, exit_of, report_by_email, sendgrid_bounce, until_taken,
};
use bookly_e2e::smtp_server::{Fault, ReceivedMail, Stage};
use bookly_e2e::stack::run;
use futures_util::StreamExt;
use futures_util::stream::iter;
use sqlx::{Connection, Executor, SqliteConnection};

/// Leases of 15 s run out within it.
const LIMIT: Duration = Duration::from_secs(180);
/// Calls of a provider at once.
const AT_ONCE: usize = 8;

const REPORTS: &str = "SELECT count(*) FROM email_reports";

/// Which emails were reported as what; all others were not.
struct Reported<'a> {
    bounced: &'a [ReceivedMail],
    complained: &'a [ReceivedMail],
}

fn recipients(mails: &[ReceivedMail]) -> Vec<String> {
    let mut recipients: Vec<String> = mails.iter().map(|mail| mail.to[0].to_lowercase()).collect();
    recipients.sort();
    recipients
}

impl Reported<'_> {
    /// Each row is closed by its report, each report stands once in its history, each mailbox is suppressed once, and
    /// nothing else is.
    async fn is_all(&self, stack: &Stack) -> Result<()> {
        for (mails, state, reason) in
            [(self.bounced, "bounced", "bounce"), (self.complained, "complained", "complaint")]
        {
            let rows = "SELECT recipient FROM emails WHERE state = $1 ORDER BY recipient";
            let entries = "SELECT mailbox FROM suppressions WHERE reason = $1 ORDER BY mailbox";
            let noted = "SELECT recipient FROM email_reports JOIN emails ON emails.id = email_id
                         WHERE outcome = $1 ORDER BY recipient";
            for (sql, text) in [(rows, state), (entries, reason), (noted, state)] {
                let mut found = stack.sql().texts(sql, text).await?;
                found.sort();
                let expected = recipients(mails);
                ensure!(found == expected, "{sql} {text}: {} and not {}", found.len(), expected.len());
            }
        }
        let all = (self.bounced.len() + self.complained.len()) as i64;
        for table in ["email_reports", "report_marks", "suppressions"] {
            let found = stack.sql().number(&format!("SELECT count(*) FROM {table}"), "").await?;
            ensure!(found == all, "{found} rows in {table}, {all} reports");
        }
        Ok(())
    }
}

/// Delivers so many emails, each to an address of its own.
async fn delivered(stack: &Stack, fault: &str, count: usize) -> Result<Vec<ReceivedMail>> {
    let tally = Tally::begin(stack, fault);
    tally.queue(count).await?;
    let figures = tally.settle().await?;
    ensure!(figures == Figures { accepted: count, arrived: count, ..Figures::default() }, "{figures:?}");
    stack.mails()
}

async fn reports(stack: &Stack, at_least: i64) -> Result<()> {
    until("reports to be recorded", LIMIT, async || {
        // While the service is killed or its database is away, there is no answer.
        Ok((stack.sql().number(REPORTS, "").await.unwrap_or(0) >= at_least).then_some(()))
    })
    .await
}

/// Postmark calls for each of these emails, and repeats what is not answered with 200. Returns how often it was not.
async fn postmark(
    stack: &Stack,
    reporter: &Reporter,
    mails: &[ReceivedMail],
    verdict: Verdict,
) -> Result<usize> {
    let calls = iter(mails).map(|mail| until_taken(|| Ok(reporter.postmark(stack.api(), mail, verdict))));
    let refusals: Vec<Result<usize>> = calls.buffer_unordered(AT_ONCE).collect().await;
    refusals.into_iter().sum()
}

/// An array of SendGrid holds the events of all applications of its account.
fn array_of(mails: &[ReceivedMail], others: usize) -> Vec<Value> {
    let other = |number: usize| {
        let mut event = sendgrid_bounce(&mails[number % mails.len()]);
        event["email"] = json!(format!("somebody-{number}@example.org"));
        event["sg_event_id"] = json!(format!("other-{number}"));
        event
    };
    let mut events: Vec<Value> = mails.iter().map(sendgrid_bounce).collect();
    events.extend((0..others).map(other));
    events
}

async fn an_api_that_is_killed_while_reports_come_records_each_once(kind: Kind) -> Result<()> {
    const ARRAY: usize = 700;
    const OTHERS: usize = 300;
    const SINGLE: usize = 100;
    let reporter = Reporter::new()?;
    run(reporter.known_to(StackOptions::new(kind).mail_server())?, async |stack: &Stack| {
        let mails = delivered(stack, "reports: before them", ARRAY + 2 * SINGLE + 100).await?;
        let (by_sendgrid, rest) = mails.split_at(ARRAY);
        let (gone, rest) = rest.split_at(SINGLE);
        let (annoyed, untouched) = rest.split_at(SINGLE);

        let events = array_of(by_sendgrid, OTHERS);
        let call = || reporter.sendgrid(stack.api(), &events);
        let killed = async {
            reports(stack, 50).await?;
            stack.restart_api().await
        };
        let first = call()?;
        let (answer, killed) = tokio::join!(first.send(), killed);
        killed?;
        let cut = stack.sql().number(REPORTS, "").await?;
        ensure!(answer.is_err() && cut < ARRAY as i64, "the kill hit no call: {cut} reports");
        let began = std::time::Instant::now();
        until_taken(call).await?;
        bookly_e2e::tally::note(&format!("{kind:?}: {} events in {:?}", events.len(), began.elapsed()));
        until_taken(call).await?;

        let kills = async {
            for more in [30, 80, 130] {
                reports(stack, (ARRAY + more) as i64).await?;
                stack.restart_api().await?;
            }
            anyhow::Ok(())
        };
        let calls = async {
            let (bounces, complaints) = tokio::join!(
                postmark(stack, &reporter, gone, Verdict::HardBounce),
                postmark(stack, &reporter, annoyed, Verdict::Complaint),
            );
            anyhow::Ok(bounces? + complaints?)
        };
        let (unanswered, killed) = tokio::join!(calls, kills);
        killed?;
        ensure!(unanswered? > 0, "the kills hit no call");
        let bounced = [by_sendgrid, gone].concat();
        let reported = Reported { bounced: &bounced, complained: annoyed };
        reported.is_all(stack).await?;
        postmark(stack, &reporter, gone, Verdict::HardBounce).await?;
        reported.is_all(stack).await.context("after all was reported again")?;

        let tally = Tally::begin(stack, "reports: API killed 4 times, then an email to each mailbox");
        tally.queue_to(&recipients(&mails)).await?;
        let figures = tally.settle().await?;
        let (accepted, arrived) = (mails.len(), untouched.len());
        let expected = Figures { accepted, arrived, suppressed: accepted - arrived, ..Figures::default() };
        ensure!(figures == expected, "{figures:?}");
        for (reason, mails) in [("bounce", bounced.len()), ("complaint", annoyed.len())] {
            let sql =
                "SELECT count(*) FROM emails WHERE state = 'cancelled' AND last_error = 'suppressed: ' || $1";
            ensure!(stack.sql().number(sql, reason).await? == mails as i64, "{reason}");
        }
        Ok(())
    })
    .await
}

on_both!(an_api_that_is_killed_while_reports_come_records_each_once);

/// The database of a stack, which can be away.
enum Database {
    Postgres(Postgres),
    /// Another program holds SQLite's lock.
    Sqlite(Option<SqliteConnection>),
}

impl Database {
    async fn leaves(&mut self, stack: &Stack) -> Result<()> {
        match self {
            Database::Postgres(postgres) => postgres.crash(),
            Database::Sqlite(held) => {
                let file = stack.folder().join("data/bookly.sqlite");
                let mut connection =
                    SqliteConnection::connect(&format!("sqlite://{}", file.display())).await?;
                connection.execute("BEGIN IMMEDIATE").await?;
                *held = Some(connection);
                Ok(())
            }
        }
    }

    async fn comes_back(&mut self) -> Result<()> {
        match self {
            Database::Postgres(postgres) => postgres.recover().await,
            Database::Sqlite(held) => Ok(held.take().context("a lock")?.close().await?),
        }
    }
}

async fn reports_that_come_while_the_database_is_away_are_repeated_and_count_once(kind: Kind) -> Result<()> {
    const CALLS: usize = 100;
    const EMAILS: usize = 6;
    let (mut database, options) = match kind {
        Kind::Full => {
            let postgres = Postgres::start().await?;
            let options = StackOptions::new(kind).with("DATABASE_URL", postgres.new_database().await?);
            (Database::Postgres(postgres), options)
        }
        Kind::Embedded => (Database::Sqlite(None), StackOptions::new(kind).mail_server()),
    };
    let reporter = Reporter::new()?;
    let options = reporter.known_to(options)?.with("MAIL_BOUNCE_ADDRESS", "bounces@bounce.bookly.test");
    run(options, async |stack: &Stack| {
        let mails = delivered(stack, "reports while the database is away", CALLS + EMAILS + 20).await?;
        let (by_call, rest) = mails.split_at(CALLS);
        let (by_email, _) = rest.split_at(EMAILS);
        let report = async |mail: &ReceivedMail| {
            let email = report_by_email(&mail.to[0], "5.1.1");
            exit_of(&bounce(stack, stack.settings(), "", &mail.from, &email).await?)
        };
        let outage = async {
            reports(stack, 20).await?;
            database.leaves(stack).await?;
            let again = reporter.postmark(stack.api(), &mails[0], Verdict::HardBounce);
            let (call, command) = tokio::join!(again.answer(), report(&by_email[0]));
            let (call, (code, said)) = (call?, command?);
            database.comes_back().await?;
            ensure!(call.status == 503, "{call:?}");
            ensure!(code == 75, "{code} {said}");
            anyhow::Ok(())
        };
        let calls = postmark(stack, &reporter, by_call, Verdict::HardBounce);
        let (refusals, outage) = tokio::join!(calls, outage);
        outage?;
        ensure!(refusals? > 0, "no call came while the database was away");
        for words in ["is bounced", "recorded before"] {
            for mail in by_email {
                let (code, said) = report(mail).await?;
                ensure!(code == 0 && said.contains(words), "{code} {said}");
            }
        }
        let bounced = [by_call, by_email].concat();
        Reported { bounced: &bounced, complained: &[] }.is_all(stack).await
    })
    .await
}

on_both!(reports_that_come_while_the_database_is_away_are_repeated_and_count_once);

/// The emails whose report came before the 250: a 250 that comes first leaves its words in the row.
const OVERTAKEN: &str = "SELECT count(*) FROM emails JOIN email_attempts ON email_id = emails.id
                         WHERE outcome = 'sent' AND emails.reply IS NULL";

/// The provider reports as soon as it has an email, before its 250, while the answers to some are lost, and a worker is
/// killed.
async fn a_report_that_overtakes_the_250_ends_the_email(kind: Kind) -> Result<()> {
    const HALF: usize = 100;
    const EMAILS: usize = 2 * HALF;
    const LOST_ANSWERS: usize = 20;
    const LATE_ANSWERS: usize = 4;
    let reporter = Reporter::new()?;
    run(reporter.known_to(StackOptions::new(kind).mail_server())?, async |stack: &Stack| {
        let smtp = stack.smtp()?;
        let tally = Tally::begin(stack, "reports that overtake the 250, lost answers, a worker killed");
        smtp.set_fault(Fault::CloseAt(Stage::FinalDot).times(LOST_ANSWERS));
        smtp.set_fault(Fault::HangAt(Stage::FinalDot).times(LATE_ANSWERS));
        tally.queue(HALF).await?;
        let reporting = async {
            let mut reported = 0;
            while reported < EMAILS {
                smtp.wait_for_total(reported + 1, LIMIT).await?;
                let (mails, total) = smtp.mails_after(reported);
                let calls = iter(mails.iter().enumerate()).map(async |(number, mail)| {
                    let is_bounce = (reported + number) % 2 == 0;
                    let verdict = if is_bounce { Verdict::HardBounce } else { Verdict::Complaint };
                    until_taken(|| Ok(reporter.postmark(stack.api(), mail, verdict))).await
                });
                let taken: Vec<_> = calls.buffer_unordered(AT_ONCE).collect().await;
                taken.into_iter().collect::<Result<Vec<_>>>()?;
                reported = total;
            }
            anyhow::Ok(())
        };
        let faults = async {
            reports(stack, HALF as i64).await?;
            smtp.clear_faults();
            until("a 250 after its report", LIMIT, async || {
                Ok((stack.sql().number(OVERTAKEN, "").await? >= LATE_ANSWERS as i64).then_some(()))
            })
            .await?;
            smtp.set_fault(Fault::DelayAt(Stage::FinalDot, Duration::from_millis(100)));
            tally.queue(HALF).await?;
            if kind == Kind::Full {
                smtp.wait_for_total(EMAILS - HALF / 2, LIMIT).await?;
                stack.kill_worker(0)?;
                stack.start_worker().await?;
            }
            anyhow::Ok(())
        };
        let (reporting, faults) = tokio::join!(reporting, faults);
        reporting.and(faults)?;
        let figures = tally.settle().await?;
        let expected = Figures { accepted: EMAILS, arrived: EMAILS, ..Figures::default() };
        ensure!(figures == expected, "{figures:?}");
        let mails = stack.mails()?;
        let of = |rest| -> Vec<ReceivedMail> {
            mails.iter().enumerate().filter(|(n, _)| n % 2 == rest).map(|(_, mail)| mail.clone()).collect()
        };
        Reported { bounced: &of(0), complained: &of(1) }.is_all(stack).await
    })
    .await
}

on_both!(a_report_that_overtakes_the_250_ends_the_email);
