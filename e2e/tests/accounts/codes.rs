//! The codes beside the links of emails.

use bookly_e2e::client::Answer;
use bookly_e2e::forge::wrong_code;
use bookly_e2e::person::{new_address, new_password};
use bookly_e2e::prelude::*;
use bookly_e2e::smtp_server::{Fault, Stage};
use bookly_e2e::stack::{JWT_SECRET, Member, run};
use futures_util::future::try_join_all;
use reqwest::RequestBuilder;

const VERIFY: &str = "Verify your email";
const RESET: &str = "Reset Your Password";
const CHANGE: &str = "Confirm your new email address";

fn verify(api: &Api, email: &str, code: &str) -> RequestBuilder {
    api.post("/auth/verify").json(&json!({"email": email, "code": code}))
}

fn reset(api: &Api, email: &str, code: &str, password: &str) -> RequestBuilder {
    let passwords = (password, password);
    reset_with(api, email, code, passwords)
}

fn reset_with(api: &Api, email: &str, code: &str, (new, again): (&str, &str)) -> RequestBuilder {
    let body = json!({"email": email, "code": code, "new_password": new, "confirm_new_password": again});
    api.post("/auth/password-reset-confirm").json(&body)
}

fn change(stack: &Stack, member: &Member, code: &str) -> RequestBuilder {
    let request = stack.api().post("/auth/email-change-confirm").bearer_auth(&member.tokens.access);
    request.json(&json!({"code": code}))
}

async fn ask_for_change(stack: &Stack, member: &Member, new_email: &str) -> Result<()> {
    let body = json!({"new_email": new_email, "password": member.person.password});
    let ask = stack.api().post("/auth/email-change-request").bearer_auth(&member.tokens.access).json(&body);
    ask.expect(200).await.map(drop)
}

async fn reset_code(stack: &Stack, email: &str) -> Result<String> {
    stack.ask_for_reset(email).expect(200).await?;
    stack.code(email, RESET).await
}

/// Refused with the same body for every reason.
async fn is_refused(request: RequestBuilder) -> Result<()> {
    let body = request.refused(400, "invalid_code").await?;
    let all = json!({
        "message": "Invalid or expired code", "detail": "Invalid or expired code", "error_code": "invalid_code",
        "resolution": "Please request a new one"
    });
    ensure!(body == all, "{body}");
    Ok(())
}

/// Makes the last attempt at every email, and each count of codes, older than it is.
async fn age(stack: &Stack, seconds: u32) -> Result<()> {
    let older = |column: &str| match stack.kind() {
        Kind::Full => format!("{column} = {column} - interval '{seconds} seconds'"),
        // As sqlx writes times: to the microsecond, with +00:00.
        Kind::Embedded => {
            format!("{column} = strftime('%Y-%m-%dT%H:%M:%f', {column}, '-{seconds} seconds') || '000+00:00'")
        }
    };
    for (table, column) in [("emails", "claimed_at"), ("code_tries", "last_tried_at")] {
        stack.sql().run(&format!("UPDATE {table} SET {}", older(column)), "").await?;
    }
    Ok(())
}

both! {
    async fn a_code_verifies_an_account_as_its_link_does(stack: &Stack) {
        let person = Person::new();
        stack.sign_up(&person).await?;
        let code = stack.code(&person.email, VERIFY).await?;
        let answer = verify(stack.api(), &person.email, &code).expect(200).await?;
        assert_eq!(answer, json!({"message": "Account verified successfully"}));
        let tokens = stack.log_in(&person).await?;
        stack.me(&tokens.access).expect(200).await?;
        // As with the link, a repeated answer that was lost is no error.
        verify(stack.api(), &person.email.to_uppercase(), &code).expect(200).await?;
    }

    async fn a_code_is_read_with_and_without_blanks_and_hyphens(stack: &Stack) {
        let person = Person::new();
        stack.sign_up(&person).await?;
        let code = stack.code(&person.email, VERIFY).await?;
        for typed in [code.clone(), code.replace(' ', ""), code.replace(' ', "-"), format!("  {code} ")] {
            verify(stack.api(), &person.email, &typed).expect(200).await.context(typed)?;
        }
        for typed in ["1234567", "12345678a", ""] {
            let refused = verify(stack.api(), &person.email, typed).refused(422, "validation_error").await?;
            assert_eq!(refused["errors"], json!([{"field": "code", "message": "must have 8 digits"}]));
        }
    }

    async fn a_code_sets_a_new_password_once(stack: &Stack) {
        let member = stack.member().await?;
        let email = &member.person.email;
        let code = reset_code(stack, email).await?;
        let changed = member.person.with_password(&new_password());
        let answer = reset(stack.api(), email, &code, &changed.password).expect(200).await?;
        assert_eq!(answer, json!({"message": "Password reset Successfully"}));
        stack.me(&member.tokens.access).refused(401, "token_revoked").await?;
        stack.log_in(&changed).await?;
        stack.mail(email, "Your password was changed").await?;
        is_refused(reset(stack.api(), email, &code, &new_password())).await?;
        let link = stack.link(email, RESET).await?;
        stack.reset(&link, &new_password()).refused(400, "invalid_token").await?;
    }

    async fn a_right_code_with_a_refused_password_stays_good(stack: &Stack) {
        let person = stack.member().await?.person;
        let code = reset_code(stack, &person.email).await?;
        // More often than wrong codes may be tried.
        for _ in 0..4 {
            let refused = |passwords| reset_with(stack.api(), &person.email, &code, passwords);
            refused(("pa55-ab", "pa55-ab")).refused(422, "validation_error").await?;
            refused(("pa55-long-enough", "pa55-another-one")).refused(400, "passwords_do_not_match").await?;
            let own = refused((&person.email, &person.email)).refused(422, "validation_error").await?;
            assert_eq!(own["errors"][0]["field"], "new_password");
            let none = json!({"email": person.email, "code": code});
            let none = stack.api().post("/auth/password-reset-confirm").json(&none);
            none.refused(422, "validation_error").await?;
        }
        reset(stack.api(), &person.email, &code, &new_password()).expect(200).await?;
    }

    async fn a_wrong_code_is_told_before_what_is_wrong_with_the_password(stack: &Stack) {
        let person = stack.member().await?.person;
        let code = reset_code(stack, &person.email).await?;
        is_refused(reset(stack.api(), &person.email, &wrong_code(&code), "pa55-ab")).await?;
    }

    async fn after_five_wrong_codes_only_the_link_works(stack: &Stack) {
        let person = stack.member().await?.person;
        let code = reset_code(stack, &person.email).await?;
        for _ in 0..5 {
            is_refused(reset(stack.api(), &person.email, &wrong_code(&code), &new_password())).await?;
        }
        is_refused(reset(stack.api(), &person.email, &code, &new_password())).await?;
        let link = stack.link(&person.email, RESET).await?;
        stack.reset(&link, &new_password()).expect(200).await?;
    }

    async fn five_hundred_guesses_at_once_are_five(stack: &Stack) {
        let person = stack.member().await?.person;
        let code = reset_code(stack, &person.email).await?;
        let (apis, _process) = stack.apis().await?;
        let (wrong, password) = (wrong_code(&code), new_password());
        let guesses = (0..500).map(|n| reset(&apis[n % apis.len()], &person.email, &wrong, &password).answer());
        let answers: Vec<Answer> = try_join_all(guesses).await?;
        assert!(answers.iter().all(|answer| answer.status == 400), "{answers:?}");
        let tries = |table| stack.sql().number(table, "");
        let on_emails = "SELECT cast(sum(tries) AS bigint) FROM email_code_tries
                         WHERE email_id IN (SELECT id FROM emails)";
        assert_eq!(tries(on_emails).await?, 5);
        assert_eq!(tries("SELECT cast(sum(tries) AS bigint) FROM code_tries").await?, 10);
        is_refused(reset(stack.api(), &person.email, &code, &new_password())).await?;
    }

    async fn an_address_has_ten_wrong_codes_an_hour_at_all_processes_known_or_not(stack: &Stack) {
        let (apis, _process) = stack.apis().await?;
        let person = stack.member().await?.person;
        let code = reset_code(stack, &person.email).await?;
        for round in 0..10 {
            // Verification codes are other emails, and the same count.
            is_refused(verify(&apis[round % apis.len()], &person.email, "0000 0000")).await?;
        }
        is_refused(reset(stack.api(), &person.email, &code, &new_password())).await?;
        age(stack, 3_000).await?;
        is_refused(reset(stack.api(), &person.email, &code, &new_password())).await?;
        age(stack, 540).await?;
        is_refused(reset(stack.api(), &person.email, &code, &new_password())).await?;
        stack.sql().run("UPDATE code_tries SET tries = 9", "").await?;
        reset(stack.api(), &person.email, &code, &new_password()).expect(200).await?;
    }

    async fn a_code_is_good_for_its_own_purpose_account_and_email(stack: &Stack) {
        let (person, other) = (Person::new(), Person::new());
        stack.sign_up(&person).await?;
        stack.sign_up(&other).await?;
        let of_verification = stack.code(&person.email, VERIFY).await?;
        let of_reset = reset_code(stack, &person.email).await?;
        is_refused(reset(stack.api(), &person.email, &of_verification, &new_password())).await?;
        is_refused(verify(stack.api(), &person.email, &of_reset)).await?;
        is_refused(verify(stack.api(), &other.email, &of_verification)).await?;
        is_refused(verify(stack.api(), &new_address(), &of_verification)).await?;
        verify(stack.api(), &person.email, &of_verification).expect(200).await?;
    }

    async fn of_several_emails_each_code_works(stack: &Stack) {
        let person = Person::new();
        stack.sign_up(&person).await?;
        let first = stack.code(&person.email, VERIFY).await?;
        stack.api().post("/auth/resend-verification").json(&json!({"email": person.email})).expect(200).await?;
        let second = stack.nth_code(&person.email, VERIFY, 2).await?;
        assert_ne!(first, second);
        for code in [second, first] {
            verify(stack.api(), &person.email, &code).expect(200).await?;
        }
        let reset_codes = [reset_code(stack, &person.email).await?, {
            stack.ask_for_reset(&person.email).expect(200).await?;
            stack.nth_code(&person.email, RESET, 2).await?
        }];
        reset(stack.api(), &person.email, &reset_codes[0], &new_password()).expect(200).await?;
        is_refused(reset(stack.api(), &person.email, &reset_codes[1], &new_password())).await?;
    }

    async fn a_verification_code_survives_a_new_password_as_its_link_does(stack: &Stack) {
        let person = Person::new();
        stack.sign_up(&person).await?;
        stack.api().post("/auth/resend-verification").json(&json!({"email": person.email})).expect(200).await?;
        let codes = [stack.code(&person.email, VERIFY).await?, stack.nth_code(&person.email, VERIFY, 2).await?];
        let reset_code = reset_code(stack, &person.email).await?;
        reset(stack.api(), &person.email, &reset_code, &new_password()).expect(200).await?;
        for code in codes {
            verify(stack.api(), &person.email, &code).expect(200).await?;
        }
    }

    async fn a_code_expires_with_its_link(stack: &Stack) {
        let person = stack.member().await?.person;
        let code = reset_code(stack, &person.email).await?;
        stack.settled().await?;
        age(stack, 3_700).await?;
        is_refused(reset(stack.api(), &person.email, &code, &new_password())).await?;
    }

    async fn a_code_moves_an_account_to_its_new_address_once(stack: &Stack) {
        let member = stack.member().await?;
        let (first, second) = (new_address(), new_address());
        ask_for_change(stack, &member, &first).await?;
        ask_for_change(stack, &member, &second).await?;
        let codes = [stack.code(&first, CHANGE).await?, stack.code(&second, CHANGE).await?];
        let nobody = stack.api().post("/auth/email-change-confirm").json(&json!({"code": codes[0]}));
        nobody.refused(401, "not_authenticated").await?;
        is_refused(change(stack, &stack.member().await?, &codes[0])).await?;
        let answer = change(stack, &member, &codes[0]).expect(200).await?;
        assert_eq!(answer, json!({"message": "Email changed successfully"}));
        assert_eq!(stack.me(&member.tokens.access).expect(200).await?["email"], first);
        stack.mail(&member.person.email, "Your email address was changed").await?;
        for code in codes {
            is_refused(change(stack, &member, &code)).await?;
        }
    }

    async fn after_five_wrong_codes_only_the_link_moves_an_account(stack: &Stack) {
        let member = stack.member().await?;
        let new = new_address();
        ask_for_change(stack, &member, &new).await?;
        let code = stack.code(&new, CHANGE).await?;
        for _ in 0..5 {
            is_refused(change(stack, &member, &wrong_code(&code))).await?;
        }
        is_refused(change(stack, &member, &code)).await?;
        stack.api().post(&stack.link(&new, CHANGE).await?).expect(200).await?;
    }

    async fn the_mail_shows_its_code_large_and_in_one_piece(stack: &Stack) {
        let person = Person::new();
        stack.sign_up(&person).await?;
        let mail = stack.mail(&person.email, VERIFY).await?;
        let code = mail.code().context("a code")?;
        let html = mail.html().context("HTML")?;
        assert!(html.contains(&format!(">{code}</p>")), "{html}");
        assert_eq!(mail.subject().as_deref(), Some(VERIFY));
    }

    async fn a_code_may_be_pasted_with_what_stands_around_it_in_the_email(stack: &Stack) {
        let person = Person::new();
        stack.sign_up(&person).await?;
        let code = stack.code(&person.email, VERIFY).await?;
        let pasted = format!("\t\u{200e}\u{2068}{code}\u{2069}\u{200b}\r\n");
        verify(stack.api(), &person.email, &pasted).expect(200).await?;
        let code = reset_code(stack, &person.email).await?;
        reset(stack.api(), &person.email, &format!("\u{feff}{code}\n"), &new_password()).expect(200).await?;
    }

    async fn the_last_wrong_code_of_an_hour_is_logged_once(stack: &Stack) {
        let person = Person::new();
        for number in 0..12 {
            is_refused(verify(stack.api(), &person.email, &format!("4711 00{number:02}"))).await?;
        }
        let api = stack.api_process();
        api.log().line(bookly_e2e::poll::LIMIT, |line| line.contains("code_limit_reached")).await?;
        let lines = api.log().text();
        let reached: Vec<&str> = lines.lines().filter(|line| line.contains("code_limit_reached")).collect();
        assert!(reached.len() == 1 && reached[0].contains("***") && !reached[0].contains(&person.email), "{reached:?}");
    }

    async fn a_refused_code_is_logged_without_the_code(stack: &Stack) {
        let person = Person::new();
        is_refused(verify(stack.api(), &person.email, "4711 0815")).await?;
        let api = stack.api_process();
        let line = api.log().line(bookly_e2e::poll::LIMIT, |line| line.contains("code_refused")).await?;
        assert!(line.contains("***") && !line.contains("4711 0815") && !line.contains("47110815"), "{line}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_code_whose_250_was_lost_works() -> Result<()> {
    run(StackOptions::new(Kind::Full), async |stack| {
        let person = Person::new();
        stack.smtp()?.set_fault(Fault::CloseAt(Stage::FinalDot).only_to(&person.email));
        stack.sign_up(&person).await?;
        let code = stack.code(&person.email, VERIFY).await?;
        assert_ne!(stack.sql().of_mail(&person.email, "state").await?, "sent");
        verify(stack.api(), &person.email, &code).expect(200).await?;
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_code_of_the_previous_secret_works_and_none_is_made_with_it() -> Result<()> {
    const NEW: &str = "link-secret-after-the-change-that-no-log-shows";
    run(StackOptions::new(Kind::Full).workers(1), async |stack| {
        let after = [("LINK_SECRET", NEW), ("LINK_PREVIOUS_SECRET", JWT_SECRET)];
        let (_process, api) = stack.another_api_with(&after).await?;
        let person = Person::new();
        stack.sign_up(&person).await?;
        verify(&api, &person.email, &stack.code(&person.email, VERIFY).await?).expect(200).await?;
        stack.kill_worker(0)?;
        stack.start_worker_with(&after).await?;
        let code = reset_code(stack, &person.email).await?;
        is_refused(reset(stack.api(), &person.email, &code, &new_password())).await?;
        reset(&api, &person.email, &code, &new_password()).expect(200).await?;
        Ok(())
    })
    .await
}
