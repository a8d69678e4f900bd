//! Attempts to take over an account, or to use a permission that has ended.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bookly_e2e::forge;
use bookly_e2e::person::{new_address, new_password};
use bookly_e2e::prelude::*;
use bookly_e2e::stack::{JWT_SECRET, Member};
use bookly_shared::domain::EmailAddress;
use bookly_shared::links::Purpose;
use reqwest::Method;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const VERIFY: &str = "Verify your email";
const RESET: &str = "Reset Your Password";
const CHANGE: &str = "Confirm your new email address";
const CHANGED: &str = "Your email address was changed";

/// A request whose headers are sent and whose body is still missing.
struct HalfSent {
    stream: TcpStream,
    body: String,
}

impl HalfSent {
    /// Sends the headers and waits until the service wants the body (RFC 9110 §10.1.1).
    async fn post(stack: &Stack, path: &str, token: &str, body: &Value) -> Result<HalfSent> {
        let address = stack.api().root().trim_start_matches("http://").to_owned();
        let mut stream = TcpStream::connect(&address).await?;
        let body = body.to_string();
        let head = format!(
            "POST /api/v1{path} HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {token}\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\nExpect: 100-continue\r\n\
             Connection: close\r\n\r\n",
            body.len()
        );
        stream.write_all(head.as_bytes()).await?;
        let mut answer = [0; 25];
        stream.read_exact(&mut answer).await?;
        assert!(answer.starts_with(b"HTTP/1.1 100"), "{}", String::from_utf8_lossy(&answer));
        Ok(HalfSent { stream, body })
    }

    /// Sends the body; the status and the error code of the answer.
    async fn finish(mut self) -> Result<(u16, String)> {
        self.stream.write_all(self.body.as_bytes()).await?;
        let mut answer = String::new();
        self.stream.read_to_string(&mut answer).await?;
        let status = answer.split(' ').nth(1).context("a status")?.parse()?;
        let body: Value = serde_json::from_str(answer.split("\r\n\r\n").nth(1).context("a body")?)?;
        Ok((status, body["error_code"].as_str().unwrap_or_default().to_owned()))
    }
}

async fn reset(stack: &Stack, member: &Member) -> Result<Member> {
    let password = new_password();
    stack.ask_for_reset(&member.person.email).expect(200).await?;
    let link = stack.link(&member.person.email, RESET).await?;
    stack.reset(&link, &password).expect(200).await?;
    let person = member.person.with_password(&password);
    let tokens = stack.log_in(&person).await?;
    Ok(Member { person, tokens, ..member.clone() })
}

/// Moves an account and returns the link that undoes it.
async fn move_to(stack: &Stack, member: &Member, new_email: &str) -> Result<String> {
    let body = json!({"new_email": new_email, "password": member.person.password});
    let request = stack.api().post("/auth/email-change-request").bearer_auth(&member.tokens.access);
    request.json(&body).expect(200).await?;
    let link = stack.link(new_email, CHANGE).await?;
    stack.api().post(&link).expect(200).await?;
    stack.link(&member.person.email, CHANGED).await
}

both! {
    async fn headers_sent_before_a_reset_change_no_address_after_it(stack: &Stack) {
        let member = stack.member().await?;
        let new_email = new_address();
        let body = json!({"new_email": new_email, "password": member.person.password});
        let half = HalfSent::post(stack, "/auth/email-change-request", &member.tokens.access, &body).await?;
        reset(stack, &member).await?;
        assert_eq!(half.finish().await?, (401, "token_revoked".to_owned()));
        stack.settled().await?;
        assert_eq!(stack.mails_to(&new_email)?.len(), 0);
    }

    async fn headers_sent_before_a_reset_change_no_password_and_no_book_after_it(stack: &Stack) {
        let member = stack.member().await?;
        let password = new_password();
        let body = json!({"current_password": member.person.password, "new_password": password,
                          "confirm_new_password": password});
        let change = HalfSent::post(stack, "/auth/password-change", &member.tokens.access, &body).await?;
        let book = json!({"title": "t", "author": "a", "publisher": "p", "published_date": "2020-01-01",
                          "page_count": 1, "language": "en"});
        let add = HalfSent::post(stack, "/books", &member.tokens.access, &book).await?;
        reset(stack, &member).await?;
        assert_eq!(change.finish().await?, (401, "token_revoked".to_owned()));
        assert_eq!(add.finish().await?, (401, "token_revoked".to_owned()));
    }

    async fn a_demoted_administrator_sends_no_email_with_earlier_headers(stack: &Stack) {
        let admin = stack.admin().await?;
        let address = new_address();
        let body = json!({"addresses": [address]});
        let half = HalfSent::post(stack, "/auth/send_mail", &admin.tokens.access, &body).await?;
        stack.command("bookly-api", &["user", "role", &admin.person.email, "user"]).await?.succeeded()?;
        assert_eq!(half.finish().await?, (403, "insufficient_permissions".to_owned()));
        stack.settled().await?;
        assert_eq!(stack.mails_to(&address)?.len(), 0);
    }

    async fn who_may_is_answered_before_what_is_wrong_with_the_body(stack: &Stack) {
        let member = stack.member().await?;
        let new = Person::new();
        stack.sign_up(&new).await?;
        let unverified = stack.log_in(&new).await?;
        let post = |path: &str, token: &str| stack.api().post(path).bearer_auth(token);
        for (path, token, status, code) in [
            ("/auth/send_mail", &member.tokens.access, 403, "insufficient_permissions"),
            ("/books", &unverified.access, 403, "account_not_verified"),
            ("/auth/email-change-request", &unverified.access, 403, "account_not_verified"),
        ] {
            post(path, token).body("{").header("content-type", "application/json").refused(status, code).await?;
            post(path, token).json(&json!({})).refused(status, code).await?;
            post(path, token).body("x").header("content-type", "text/plain").refused(415, "unsupported_media_type").await?;
        }
        post("/auth/logout", &member.tokens.access).expect(200).await?;
        for path in ["/auth/send_mail", "/books", "/auth/email-change-request", "/auth/password-change"] {
            post(path, &member.tokens.access).json(&json!({})).refused(401, "token_revoked").await?;
        }
        let change = stack.api().request(Method::PATCH, "/books/no-id").bearer_auth(&member.tokens.access).json(&json!({}));
        change.refused(401, "token_revoked").await?;
    }

    async fn the_verification_page_says_for_which_account_it_is(stack: &Stack) {
        let person = Person { first_name: "Zoë".to_owned(), last_name: "call 112".to_owned(), ..Person::new() };
        stack.sign_up(&person).await?;
        let link = stack.link(&person.email, VERIFY).await?;
        let page = stack.api().visit(&link).page(200).await?;
        assert!(page.contains(&person.email) && page.contains("Zoë"), "{page}");
        assert!(!page.contains("call 112"), "a name that could carry a message is left out: {page}");
        assert!(page.contains(&format!("/api/v1/auth/not-me/{}", forge::token_of(&link))), "{page}");
    }

    async fn the_owner_of_an_address_deletes_an_account_that_somebody_else_made(stack: &Stack) {
        let stranger = Person::new();
        stack.sign_up(&stranger).await?;
        let tokens = stack.log_in(&stranger).await?;
        let link = stack.link(&stranger.email, VERIFY).await?;
        let not_me = format!("/auth/not-me/{}", forge::token_of(&link));
        let page = stack.api().visit(&not_me).page(200).await?;
        assert!(page.contains("<button") && page.contains(&stranger.email), "{page}");
        stack.log_in(&stranger).await?;
        assert_eq!(stack.api().post(&not_me).expect(200).await?, json!({"message": "The account was deleted"}));
        stack.api().post(&not_me).refused(404, "user_not_found").await?;
        stack.log_in_as(&stranger).refused(400, "invalid_email_or_password").await?;
        stack.refresh(&tokens.refresh).refused(404, "user_not_found").await?;
        stack.sign_up(&stranger.with_password(&new_password())).await?;
    }

    async fn a_verified_account_is_not_deleted_by_its_verification_link(stack: &Stack) {
        let person = Person::new();
        stack.sign_up(&person).await?;
        let link = stack.link(&person.email, VERIFY).await?;
        stack.api().post(&link).expect(200).await?;
        let not_me = format!("/auth/not-me/{}", forge::token_of(&link));
        stack.api().post(&not_me).refused(409, "already_verified").await?;
        stack.api().visit(&not_me).page(409).await?;
        stack.log_in(&person).await?;
    }

    async fn a_thief_who_moved_the_account_and_changed_its_password_loses_it_again(stack: &Stack) {
        let member = stack.member().await?;
        let stolen = new_address();
        let undo = move_to(stack, &member, &stolen).await?;
        // The attacker goes on: another password, another address.
        let thief = Person { email: stolen.clone(), ..member.person.clone() };
        let tokens = stack.log_in(&thief).await?;
        let thief = Member { person: thief, tokens, ..member.clone() };
        let thief = reset(stack, &thief).await?;
        let second_undo = move_to(stack, &thief, &new_address()).await?;
        // Until the owner acts, no other account can take the address.
        stack.api().post("/auth/signup").json(&member.person).refused(403, "user_exists").await?;

        let page = stack.api().visit(&undo).page(200).await?;
        assert!(page.contains(&member.person.email) && page.contains("<button"), "{page}");
        assert_eq!(stack.api().post(&undo).expect(200).await?, json!({"message": "Email change undone"}));
        stack.api().post(&undo).refused(400, "invalid_token").await?;
        stack.api().post(&second_undo).refused(400, "invalid_token").await?;
        stack.me(&thief.tokens.access).refused(401, "token_revoked").await?;
        for password in [&member.person.password, &thief.person.password] {
            stack.log_in_as(&member.person.with_password(password)).refused(400, "invalid_email_or_password").await?;
        }
        let owner = member.person.with_password(&new_password());
        let link = stack.link(&owner.email, RESET).await?;
        stack.reset(&link, &owner.password).expect(200).await?;
        stack.log_in(&owner).await?;
    }

    async fn an_account_that_somebody_moved_to_my_address_is_named_and_its_loss_is_told(stack: &Stack) {
        let stranger = stack.member().await?;
        let mine = new_address();
        let body = json!({"new_email": mine, "password": stranger.person.password});
        let request = stack.api().post("/auth/email-change-request").bearer_auth(&stranger.tokens.access);
        request.json(&body).expect(200).await?;
        let link = stack.link(&mine, CHANGE).await?;
        let page = stack.api().visit(&link).page(200).await?;
        let masked = EmailAddress::parse(&stranger.person.email)?.masked();
        for words in [&*masked, "was made for", "close this page: nothing changes"] {
            assert!(page.contains(words), "{words}: {page}");
        }
        stack.api().post(&link).expect(200).await?;
        let undo = stack.link(&stranger.person.email, CHANGED).await?;
        stack.api().post(&undo).expect(200).await?;
        let notice = stack.mail(&mine, CHANGED).await?;
        let text = notice.text().context("text")?.replace("\r\n", " ");
        assert!(text.contains(&masked) && text.contains("can no longer log in"), "{text}");
        assert!(!text.contains("/email-change-undo/"), "{text}");
    }

    async fn an_undo_link_ends_after_72_hours(stack: &Stack) {
        let member = stack.member().await?;
        let undo = move_to(stack, &member, &new_address()).await?;
        let token = forge::token_of(&undo);
        let age = Duration::from_secs(72 * 3600 + 60);
        let old = forge::aged(token, Purpose::EmailChangeUndo, age, JWT_SECRET)?;
        stack.api().post(&format!("/auth/email-change-undo/{old}")).refused(400, "token_expired").await?;
        let page = stack.api().visit(&format!("/auth/email-change-undo/{old}")).page(400).await?;
        assert!(page.contains("72 hours") && !page.contains("Log in"), "nothing makes a new link: {page}");
    }

    async fn an_unverified_account_is_not_made_an_administrator(stack: &Stack) {
        let person = Person::new();
        stack.sign_up(&person).await?;
        let refused = stack.command("bookly-api", &["user", "role", &person.email, "admin"]).await?;
        assert!(!refused.status.success(), "{refused:?}");
        let text = format!("{refused:?}");
        assert!(text.contains("not verified") && text.contains("reset the password"), "{text}");
    }

    async fn twenty_sign_ups_reach_one_mailbox(stack: &Stack) {
        let base = new_address();
        let (local, domain) = base.split_once('@').context("an address")?;
        for n in 0..22 {
            let person = Person { email: format!("{local}+{n}@{domain}"), ..Person::new() };
            let answer = stack.api().post("/auth/signup").json(&person).answer().await?;
            assert_eq!(answer.status, if n < 20 { 201 } else { 429 }, "{answer:?}");
        }
        let member = stack.member().await?;
        let body = json!({"new_email": base, "password": member.person.password});
        let request = stack.api().post("/auth/email-change-request").bearer_auth(&member.tokens.access);
        request.json(&body).expect(200).await?;
        stack.settled().await?;
        assert_eq!(stack.mails_to(&base)?.len(), 0, "the usual answer, and no email");
    }
}

/// Requests the account as fast as it can until `stop`; returns how often it was answered.
async fn keep_asking(apis: Vec<Api>, access: String, stop: Arc<AtomicBool>) -> Result<usize> {
    let mut answered = 0;
    while !stop.load(Ordering::Relaxed) {
        for api in &apis {
            api.get("/auth/me").bearer_auth(&access).expect(200).await?;
            answered += 1;
        }
    }
    Ok(answered)
}

/// The three steps of `docs/operations.md`, each with two APIs beside each other as in a rolling restart.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_of_both_secrets_logs_nobody_out_and_kills_no_link() -> Result<()> {
    const NEW: &str = "jwt-secret-after-the-change-that-no-log-shows";
    const NEW_LINK: &str = "link-secret-after-the-change-that-no-log-shows";
    bookly_e2e::stack::run(StackOptions::new(Kind::Full).workers(1), async |stack: &Stack| {
        let member = stack.member().await?;
        stack.ask_for_reset(&member.person.email).expect(200).await?;
        let old_link = stack.link(&member.person.email, RESET).await?;
        let early =
            [("JWT_PREVIOUS_SECRET", NEW), ("LINK_SECRET", JWT_SECRET), ("LINK_PREVIOUS_SECRET", NEW_LINK)];
        let late = [
            ("JWT_SECRET", NEW),
            ("JWT_PREVIOUS_SECRET", JWT_SECRET),
            ("LINK_SECRET", NEW_LINK),
            ("LINK_PREVIOUS_SECRET", JWT_SECRET),
        ];
        let (_first_process, first) = stack.another_api_with(&early).await?;
        let (_second_process, second) = stack.another_api_with(&late).await?;
        let stop = Arc::<AtomicBool>::default();
        let load: Vec<_> = (0..4)
            .map(|_| {
                let apis = vec![stack.api().clone(), first.clone(), second.clone()];
                tokio::spawn(keep_asking(apis, member.tokens.access.clone(), Arc::clone(&stop)))
            })
            .collect();

        // A session that the second API opens is good at the first, which still signs with the old secret.
        let login = json!({"email": member.person.email, "password": member.person.password});
        let session = second.post("/auth/login").json(&login).expect(200).await?;
        let new_access = session["access_token"].as_str().context("a token")?.to_owned();
        for api in [&first, &second] {
            api.get("/auth/me").bearer_auth(&new_access).expect(200).await?;
            let refreshed = api.post("/auth/refresh_token").bearer_auth(&member.tokens.refresh);
            refreshed.expect(200).await?;
        }
        // Nothing is signed with the old secret: an API that knows that one alone does not accept it.
        stack.api().get("/auth/me").bearer_auth(&new_access).refused(401, "invalid_token").await?;

        // Links that were under way open; a link of a worker with the new secret opens at both, and not by the old one.
        stack.kill_worker(0)?;
        stack.start_worker_with(&late).await?;
        stack.ask_for_reset(&member.person.email).expect(200).await?;
        let new_link = stack.nth_link(&member.person.email, RESET, 2).await?;
        let path = |link: &str| format!("/auth/password-reset-confirm/{}", forge::token_of(link));
        for api in [&first, &second] {
            for link in [&old_link, &new_link] {
                api.visit(&path(link)).page(200).await?;
            }
        }
        stack.api().visit(&path(&new_link)).page(400).await?;

        stop.store(true, Ordering::Relaxed);
        for asking in load {
            assert!(asking.await?? > 0);
        }
        Ok(())
    })
    .await
}
