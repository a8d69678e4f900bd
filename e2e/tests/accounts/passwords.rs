//! Which passwords are taken, by one policy at every endpoint where a new one is set.

use bookly_e2e::person::new_password;
use bookly_e2e::prelude::*;

/// What a refusal says of a field.
fn said<'a>(refusal: &'a Value, field: &str) -> &'a str {
    let errors = refusal["errors"].as_array().into_iter().flatten();
    let named: Vec<_> = errors.filter(|error| error["field"] == field).collect();
    match named.as_slice() {
        [error] => error["message"].as_str().unwrap_or_default(),
        _ => "",
    }
}

both! {
    async fn the_same_policy_holds_at_sign_up_reset_and_change_and_says_why(stack: &Stack) {
        let member = stack.member().await?;
        let person = &member.person;
        stack.ask_for_reset(&person.email).expect(200).await?;
        let link = stack.link(&person.email, "Reset Your Password").await?;
        let local = person.email.split('@').next().unwrap_or_default();
        let refused = [
            ("pa55-ab".to_owned(), "must have between 8 and 128 characters"),
            ("x7".repeat(65), "must have between 8 and 128 characters"),
            ("a long\nsecret".to_owned(), "must be one line without control characters"),
            ("a long \u{202e}secret".to_owned(), "must be one line without control characters"),
            ("password1".to_owned(), "is too easy to guess"),
            ("qwertyuiop".to_owned(), "is too easy to guess"),
            (person.email.to_uppercase(), "must not be made of your own address or name"),
            (local.to_owned(), "must not be made of your own address or name"),
            ("Kim-Novak-1".to_owned(), "must not be made of your own address or name"),
            (format!("{}!", person.username), "must not be made of your own address or name"),
        ];
        for (password, reason) in &refused {
            let twice = json!({"current_password": person.password, "new_password": password,
                               "confirm_new_password": password});
            let change = stack.api().post("/auth/password-change").bearer_auth(&member.tokens.access);
            for (request, field) in [
                (stack.api().post("/auth/signup").json(&person.with_password(password)), "password"),
                (stack.api().post(&link).json(&twice), "new_password"),
                (change.json(&twice), "new_password"),
            ] {
                let refusal = request.refused(422, "validation_error").await?;
                assert!(said(&refusal, field).starts_with(reason), "{field} {password:?}: {refusal}");
                assert!(!refusal.to_string().contains(password.as_str()), "{refusal}");
            }
        }
        stack.reset(&link, &new_password()).expect(200).await.context("the link is not used up")?;
    }

    /// As two keyboards type it: `é` in one piece, or `e` and an accent.
    async fn a_password_is_the_same_in_whatever_form_its_letters_are_sent(stack: &Stack) {
        let (composed, decomposed) = ("pa55-caf\u{e9}-cr\u{e8}me", "pa55-cafe\u{301}-cre\u{300}me");
        for (set, typed) in [(decomposed, composed), (composed, decomposed)] {
            let person = Person::new().with_password(set);
            stack.sign_up(&person).await?;
            stack.log_in(&person.with_password(typed)).await?;
            let other = person.with_password("pa55-cafe-creme");
            stack.log_in_as(&other).refused(400, "invalid_email_or_password").await?;
        }
        let member = stack.member().await?;
        let change = stack.api().post("/auth/password-change").bearer_auth(&member.tokens.access);
        let twice = json!({"current_password": member.person.password, "new_password": decomposed,
                           "confirm_new_password": composed});
        change.json(&twice).expect(200).await.context("both spellings are the same password")?;
        stack.log_in(&member.person.with_password(composed)).await?;
    }

    async fn characters_are_counted_after_composition_and_any_are_taken(stack: &Stack) {
        // Each is one character in NFC; the first has 24 bytes before and 16 after it.
        for password in ["u\u{308}o\u{308}a\u{308}e\u{301}n\u{303}c\u{327}i\u{302}o\u{303}", "🦀🐙🦑🐡🐠🐟🐬🐳", "密码簿里的第七页"] {
            let person = Person::new().with_password(password);
            stack.sign_up(&person).await.with_context(|| password.to_owned())?;
            stack.log_in(&person).await?;
        }
        let seven = Person::new().with_password("u\u{308}o\u{308}a\u{308}e\u{301}n\u{303}c\u{327}i\u{302}");
        stack.api().post("/auth/signup").json(&seven).refused(422, "validation_error").await?;
    }
}
