//! The text, the recipient and the headers of each email.

use bookly_e2e::person::new_password;
use bookly_e2e::prelude::*;
use bookly_e2e::smtp_server::ReceivedMail;
use mail_parser::MessageParser;

const VERIFY: &str = "Verify your email";

/// What holds for every mail of the contract.
fn check_headers(mail: &ReceivedMail, to: &str) -> Result<()> {
    assert_eq!(mail.to, [to], "one recipient");
    let from = mail.header("From").context("From")?;
    assert_eq!(from.replace('"', ""), "Bookly Tests <bookly@bookly.test>");
    assert_eq!(mail.header("Auto-Submitted").as_deref(), Some("auto-generated"));
    assert!(mail.header("Date").is_some());
    let message = MessageParser::default().parse(&mail.data).context("a message")?;
    assert_eq!((message.text_body_count(), message.html_body_count()), (1, 1));
    for line in mail.data.split(|byte| *byte == b'\n') {
        assert!(line.len() <= 999, "lines of at most 998 octets (RFC 5322 §2.1.1)");
    }
    Ok(())
}

both! {
    async fn a_mail_is_text_and_html_to_one_recipient(stack: &Stack) {
        let person = Person::new();
        stack.sign_up(&person).await?;
        check_headers(&stack.mail(&person.email, VERIFY).await?, &person.email)?;
    }

    async fn a_message_id_is_made_from_the_rows_id(stack: &Stack) {
        let person = Person::new();
        stack.sign_up(&person).await?;
        let id = stack.mail(&person.email, VERIFY).await?.message_id().context("a Message-ID")?;
        let (row, domain) = id.split_once('@').context("local@domain")?;
        assert_eq!(domain, "bookly.test");
        let sql = match stack.kind() {
            Kind::Full => "SELECT id::text FROM emails WHERE recipient = $1",
            Kind::Embedded => "SELECT lower(hex(id)) FROM emails WHERE recipient = $1",
        };
        let rows = stack.sql().texts(sql, &person.email).await?;
        assert_eq!(rows.concat().replace('-', ""), row.replace('-', ""));
    }

    async fn verification_and_reset_emails_carry_their_link_in_full_in_both_parts(stack: &Stack) {
        let member = stack.member().await?;
        let email = &member.person.email;
        stack.ask_for_reset(email).expect(200).await?;
        for (subject, path) in [(VERIFY, "/api/v1/auth/verify/"), ("Reset Your Password", "/api/v1/auth/password-reset-confirm/")] {
            let mail = stack.mail(email, subject).await?;
            check_headers(&mail, email)?;
            let link = mail.link(path).context("a link")?;
            assert!(link.starts_with(stack.api().root()), "{link}");
            assert!(mail.html().context("HTML")?.contains(&link), "the same link in HTML");
            let text = mail.text().context("text")?;
            assert!(text.contains("1 hour"), "how long it lives: {text}");
            assert!(text.to_lowercase().contains("ignore"), "what to do when it was not me: {text}");
        }
    }

    async fn a_forged_host_never_shows_in_a_mail(stack: &Stack) {
        let person = Person::new();
        let forge = |request: reqwest::RequestBuilder| {
            request
                .header(header::HOST, "evil.test")
                .header("X-Forwarded-Host", "evil.test")
                .header("X-Forwarded-Proto", "https")
                .header("Forwarded", "host=evil.test")
                .header(header::REFERER, "https://evil.test/")
        };
        forge(stack.api().post("/auth/signup").json(&person)).expect(201).await?;
        forge(stack.ask_for_reset(&person.email)).expect(200).await?;
        for subject in [VERIFY, "Reset Your Password"] {
            let mail = stack.mail(&person.email, subject).await?;
            let whole = String::from_utf8_lossy(&mail.data).into_owned();
            let parts = [whole, mail.text().context("text")?, mail.html().context("HTML")?].concat();
            assert!(!parts.contains("evil.test"), "{parts}");
            assert!(mail.link("/api/v1/auth/").context("a link")?.starts_with(stack.api().root()));
        }
    }

    async fn a_name_is_text_and_never_markup(stack: &Stack) {
        let names = [
            "<b>Kim</b> & {{ 12345679*9 }}",
            "<script>alert(1)</script>",
            "{% raw %}{{ 12345679*9 }}",
            "{# 1 #}\"><img src=x>'",
            "URGENT: call +1-888-555-0100",
            "evil\u{2024}example/login",
        ];
        for name in names {
            let person = Person { first_name: name.to_owned(), ..Person::new() };
            stack.sign_up(&person).await?;
            stack.ask_for_reset(&person.email).expect(200).await?;
            for subject in [VERIFY, "Reset Your Password"] {
                let mail = stack.mail(&person.email, subject).await?;
                let html = mail.html().context("HTML")?;
                assert!(html.contains("Hello,"), "the greeting has no name: {html}");
                for markup in ["<b>Kim", "<script", "<img", "111111111", "1-888", "\u{2024}"] {
                    assert!(!html.contains(markup), "a name is no markup and no template: {html}");
                }
                let text = mail.text().context("text")?;
                assert!(text.lines().next() == Some("Hello,") && !text.contains(name), "{text}");
            }
        }
    }

    async fn html_loads_nothing_from_elsewhere(stack: &Stack) {
        let person = Person::new();
        stack.sign_up(&person).await?;
        let html = stack.mail(&person.email, VERIFY).await?.html().context("HTML")?;
        for loading in ["<img", "<script", "<link", "@import", "url(", "<iframe", "background="] {
            assert!(!html.contains(loading), "{loading}");
        }
    }

    async fn the_notice_of_a_new_password_says_when_and_what_to_do(stack: &Stack) {
        let member = stack.member().await?;
        let new = new_password();
        let body = json!({"current_password": member.person.password, "new_password": new, "confirm_new_password": new});
        let change = stack.api().post("/auth/password-change").bearer_auth(&member.tokens.access);
        change.json(&body).expect(200).await?;
        let mail = stack.mail(&member.person.email, "Your password was changed").await?;
        check_headers(&mail, &member.person.email)?;
        let text = mail.text().context("text")?;
        assert!(text.contains("UTC"), "when: {text}");
        assert!(text.contains(&stack.api().url("/auth/password-reset-request")), "{text}");
        assert!(!text.contains(&new));
    }

    async fn links_begin_with_the_domain_that_is_set(stack: &Stack, DOMAIN = "books.example.org") {
        let person = Person::new();
        stack.sign_up(&person).await?;
        let link = stack.link(&person.email, VERIFY).await?;
        assert!(link.starts_with("https://books.example.org/api/v1/auth/verify/"), "a bare host means https");
    }
}
