//! How many emails strangers can send to a mailbox when they know only its address.

use bookly_e2e::client::Answer;
use bookly_e2e::person::{new_address, new_password};
use bookly_e2e::prelude::*;
use bookly_e2e::stack::Member;
use futures_util::future::try_join_all;
use reqwest::RequestBuilder;

const RESET: &str = "Reset Your Password";
const NOTICE: &str = "Your password was changed";
const CHANGE: &str = "Confirm your new email address";

/// One mailbox: a local part in capitals, and a domain as typed, in capitals, in punycode and with an ideographic
/// full stop.
fn spellings(local: &str) -> Vec<String> {
    let local = [local.to_owned(), local.to_uppercase()];
    let domains = ["bücher.test", "BÜCHER.TEST", "xn--bcher-kva.test", "bücher。test"];
    local.iter().flat_map(|local| domains.map(|domain| format!("{local}@{domain}"))).collect()
}

/// A person whose address has many spellings; the first one is stored.
async fn somebody(stack: &Stack) -> Result<(Person, Vec<String>)> {
    let address = new_address();
    let (local, _) = address.split_once('@').context("an address")?;
    let person = Person { email: format!("{local}@xn--bcher-kva.test"), ..Person::new() };
    stack.sign_up(&person).await?;
    Ok((person, spellings(local)))
}

/// Asks for a reset of each address, each time as another client.
fn asks<'a>(stack: &'a Stack, addresses: impl Iterator<Item = &'a String>) -> Vec<RequestBuilder> {
    let from = |(index, request): (usize, RequestBuilder)| {
        request.header("X-Forwarded-For", format!("198.51.100.{}", index % 250))
    };
    addresses.map(|address| stack.ask_for_reset(address)).enumerate().map(from).collect()
}

fn mails(stack: &Stack, to: &str, subject: &str) -> Result<usize> {
    let mails = stack.mails_to(to)?;
    Ok(mails.iter().filter(|mail| mail.subject().as_deref() == Some(subject)).count())
}

async fn rows(stack: &Stack, mailbox: &str) -> Result<i64> {
    stack
        .sql()
        .number("SELECT count(*) FROM emails WHERE mailbox = $1 AND kind = 'reset_password'", mailbox)
        .await
}

/// Makes every mail row older than it is.
async fn age(stack: &Stack, seconds: u32) -> Result<()> {
    let columns = ["created_at", "closed_at"].map(|column| match stack.kind() {
        Kind::Full => format!("{column} = {column} - interval '{seconds} seconds'"),
        // As sqlx writes times: to the microsecond, with +00:00.
        Kind::Embedded => {
            format!("{column} = strftime('%Y-%m-%dT%H:%M:%f', {column}, '-{seconds} seconds') || '000+00:00'")
        }
    });
    stack.sql().run(&format!("UPDATE emails SET {}", columns.join(", ")), "").await?;
    Ok(())
}

async fn change_password(stack: &Stack, member: &Member, new: &str) -> Result<Member> {
    let body =
        json!({"current_password": member.person.password, "new_password": new, "confirm_new_password": new});
    let asked = stack.api().post("/auth/password-change").bearer_auth(&member.tokens.access).json(&body);
    asked.expect(200).await?;
    Ok(Member { person: member.person.with_password(new), ..member.clone() })
}

both! {
    async fn forty_requests_for_one_mailbox_are_three_mails_however_it_is_spelt(stack: &Stack, TRUSTED_PROXIES = "127.0.0.1") {
        let (person, spelt) = somebody(stack).await?;
        let local = new_address().replace("@people.test", "");
        let unknown = spellings(&local);
        let mut answers: Vec<Answer> = Vec::new();
        for request in asks(stack, spelt.iter().cycle().take(40)).into_iter().chain(asks(stack, unknown.iter().cycle().take(40))) {
            answers.push(request.answer().await?);
        }
        assert!(answers.iter().all(|answer| answer.status == 200 && answer.body == answers[0].body), "never a hint");
        stack.settled().await?;
        assert_eq!(mails(stack, &person.email, RESET)?, 3);
        assert_eq!(rows(stack, &person.email).await?, 3, "what is refused takes no place either");
        let unknown = format!("{local}@xn--bcher-kva.test");
        assert_eq!(rows(stack, &unknown).await?, 3, "unknown addresses meet the same limit");
        assert_eq!(stack.mails_to(&unknown)?.len(), 0);
    }

    async fn fifty_requests_at_once_are_three_mails(stack: &Stack, TRUSTED_PROXIES = "127.0.0.1") {
        let (person, spelt) = somebody(stack).await?;
        let (apis, _process) = stack.apis().await?;
        let ask = |(index, email): (usize, &String)| {
            apis[index % apis.len()].post("/auth/password-reset-request").json(&json!({"email": email})).expect(200)
        };
        try_join_all(spelt.iter().cycle().take(50).enumerate().map(ask)).await?;
        stack.settled().await?;
        assert_eq!(mails(stack, &person.email, RESET)?, 3);
        assert_eq!(rows(stack, &person.email).await?, 3);
    }

    async fn an_address_with_a_tag_is_an_address_of_its_own(stack: &Stack) {
        let person = stack.member().await?.person;
        let tagged = person.email.replace('@', "+books@");
        for email in [&person.email, &tagged].into_iter().cycle().take(12) {
            stack.ask_for_reset(email).expect(200).await?;
        }
        assert_eq!((rows(stack, &person.email).await?, rows(stack, &tagged).await?), (3, 3));
    }

    async fn a_new_address_that_is_asked_for_is_mailed_no_more_often(stack: &Stack) {
        let member = stack.member().await?;
        let new_email = new_address();
        for spelt in [&new_email, &new_email.to_uppercase()].into_iter().cycle().take(8) {
            let body = json!({"new_email": spelt, "password": member.person.password});
            let asked = stack.api().post("/auth/email-change-request").bearer_auth(&member.tokens.access);
            asked.json(&body).expect(200).await?;
        }
        stack.settled().await?;
        assert_eq!(mails(stack, &new_email, CHANGE)?, 3);
    }

    async fn notices_about_security_are_never_held_back(stack: &Stack, MAILBOX_LIMIT = "1", MAILBOX_LIMIT_PER_DAY = "1") {
        let mut member = stack.member().await?;
        for _ in 0..5 {
            member = change_password(stack, &member, &new_password()).await?;
        }
        stack.settled().await?;
        assert_eq!(mails(stack, &member.person.email, NOTICE)?, 5);
    }

    async fn the_owner_gets_a_link_per_lifetime_when_others_used_the_limit_up(
        stack: &Stack,
        MAILBOX_LIMIT = "1",
        MAILBOX_LIMIT_PER_DAY = "1",
        PASSWORD_RESET_LIFETIME = "60"
    ) {
        let person = stack.member().await?.person;
        for round in 1..=3 {
            for _ in 0..3 {
                stack.ask_for_reset(&person.email).expect(200).await?;
            }
            stack.settled().await?;
            assert_eq!(mails(stack, &person.email, RESET)?, round, "one in every lifetime, and no more");
            age(stack, 61).await?;
        }
    }

    async fn a_changed_password_makes_room_for_a_link_that_works(stack: &Stack, MAILBOX_LIMIT = "1", MAILBOX_LIMIT_PER_DAY = "1") {
        let member = stack.member().await?;
        stack.ask_for_reset(&member.person.email).expect(200).await?;
        let useless = stack.link(&member.person.email, RESET).await?;
        change_password(stack, &member, &new_password()).await?;
        stack.reset(&useless, &new_password()).refused(400, "invalid_token").await?;
        for _ in 0..3 {
            stack.ask_for_reset(&member.person.email).expect(200).await?;
        }
        let link = stack.nth_link(&member.person.email, RESET, 2).await?;
        stack.reset(&link, &new_password()).expect(200).await.context("its owner was not kept out")?;
        stack.settled().await?;
        assert_eq!(mails(stack, &member.person.email, RESET)?, 2, "room for one");
    }

    /// Anybody can sign up with an address of another person, log in, and change the password again and again.
    async fn changes_of_the_password_send_one_notice_to_an_unverified_address(stack: &Stack) {
        let person = Person::new();
        let user = stack.sign_up(&person).await?;
        let uid = user["uid"].as_str().context("uid")?.to_owned();
        let mut member = Member { tokens: stack.log_in(&person).await?, person, uid };
        for _ in 0..4 {
            for _ in 0..4 {
                stack.ask_for_reset(&member.person.email).expect(200).await?;
            }
            member = change_password(stack, &member, &new_password()).await?;
        }
        stack.settled().await?;
        assert_eq!(mails(stack, &member.person.email, NOTICE)?, 1);
        assert_eq!(rows(stack, &member.person.email).await?, 4, "room for one more reset link, after the first change");
    }

    async fn requests_for_unknown_addresses_are_forgotten_after_a_day(stack: &Stack) {
        let (stranger, person) = (new_address(), stack.member().await?.person);
        for email in [&stranger, &person.email] {
            stack.ask_for_reset(email).expect(200).await?;
        }
        stack.settled().await?;
        age(stack, 90_000).await?;
        // A new leader purges first.
        match stack.kind() {
            Kind::Embedded => stack.restart_api().await?,
            Kind::Full => {
                stack.kill_worker(0)?;
                stack.kill_worker(1)?;
                stack.start_worker().await?;
            }
        }
        bookly_e2e::poll::until("the rows to go", bookly_e2e::poll::LIMIT, async || {
            Ok((rows(stack, &stranger).await? == 0).then_some(()))
        }).await?;
        assert_eq!(rows(stack, &person.email).await?, 1, "what was sent is kept longer");
    }
}
