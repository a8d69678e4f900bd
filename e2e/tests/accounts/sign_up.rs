//! Signing up.

use std::collections::HashSet;

use bookly_e2e::prelude::*;
use futures_util::future::join_all;

/// The keys of a User, and no others: above all not the hash.
const USER_KEYS: [&str; 10] = [
    "uid",
    "username",
    "email",
    "first_name",
    "last_name",
    "role",
    "is_verified",
    "locale",
    "created_at",
    "update_at",
];

fn keys(object: &Value) -> HashSet<&str> {
    object.as_object().into_iter().flatten().map(|(key, _)| key.as_str()).collect()
}

fn fields(refusal: &Value) -> HashSet<&str> {
    let errors = refusal["errors"].as_array().into_iter().flatten();
    errors.filter_map(|error| error["field"].as_str()).collect()
}

both! {
    async fn signing_up_answers_with_the_account_and_mails_a_link(stack: &Stack) {
        let person = Person::new();
        let answer = stack.api().post("/auth/signup").json(&person).expect(201).await?;
        assert_eq!(answer["message"], "Account Created! Check email to verify your account");
        let user = &answer["user"];
        assert_eq!(keys(user), HashSet::from(USER_KEYS));
        assert_eq!(user["email"], person.email);
        assert_eq!(user["username"], person.username);
        assert_eq!(user["role"], "user");
        assert_eq!(user["is_verified"], false);
        uuid::Uuid::parse_str(user["uid"].as_str().unwrap_or_default())?;
        for time in ["created_at", "update_at"] {
            let time = user[time].as_str().context("a time")?;
            let parsed = chrono::DateTime::parse_from_rfc3339(time)?;
            assert_eq!(parsed.offset().utc_minus_local(), 0, "{time} is UTC");
        }
        let link = stack.link(&person.email, "Verify your email").await?;
        assert!(link.starts_with(&stack.api().url("/auth/verify/")), "the link leads to the service");
    }

    async fn an_address_signs_up_once_however_it_is_spelt(stack: &Stack) {
        let person = Person::new();
        stack.sign_up(&person).await?;
        let shouted = Person { email: person.email.to_uppercase(), ..Person::new() };
        for again in [&person, &shouted] {
            stack.api().post("/auth/signup").json(again).refused(403, "user_exists").await?;
        }
        stack.settled().await?;
        assert_eq!(stack.mails_to(&person.email)?.len(), 1, "nobody is mailed about a refused sign-up");
    }

    async fn an_address_is_mailed_as_typed_with_its_domain_in_punycode(stack: &Stack) {
        let local = Person::new().email.replace("@people.test", "+Books");
        let typed = Person { email: format!("  {local}@B\u{dc}CHER.test "), ..Person::new() };
        let account = stack.sign_up(&typed).await?;
        let mailed = format!("{local}@xn--bcher-kva.test");
        assert_eq!(account["email"], mailed);
        let mail = stack.mail(&mailed, "Verify your email").await?;
        assert_eq!(mail.to, std::slice::from_ref(&mailed), "the local part keeps its capitals");
        for again in [mailed.to_lowercase(), format!("{local}@bu\u{308}cher.test"), format!("{local}@bücher\u{3002}TEST")] {
            let again = Person { email: again, ..Person::new() };
            stack.api().post("/auth/signup").json(&again).refused(403, "user_exists").await?;
            stack.log_in(&Person { password: typed.password.clone(), ..again }).await?;
        }
    }

    async fn of_twelve_sign_ups_at_once_one_succeeds(stack: &Stack) {
        let person = Person::new();
        let requests = (0..12).map(|_| stack.api().post("/auth/signup").json(&person).answer());
        let answers: Vec<_> = join_all(requests).await.into_iter().collect::<Result<_>>()?;
        let with = |status: u16| answers.iter().filter(|answer| answer.status == status).count();
        assert_eq!((with(201), with(403)), (1, 11), "{answers:?}");
        stack.settled().await?;
        assert_eq!(stack.mails_to(&person.email)?.len(), 1);
    }

    async fn role_and_verification_cannot_be_signed_up_for(stack: &Stack) {
        let mut wish = serde_json::to_value(Person::new())?;
        wish["role"] = json!("admin");
        wish["is_verified"] = json!(true);
        let user = stack.api().post("/auth/signup").json(&wish).expect(201).await?["user"].take();
        assert_eq!((&user["role"], &user["is_verified"]), (&json!("user"), &json!(false)));
    }

    async fn every_wrong_field_is_named_at_once(stack: &Stack) {
        let wrong = json!({"first_name": "", "last_name": "N".repeat(65), "username": "u".repeat(33),
                           "email": "not an address", "password": "short"});
        let refusal = stack.api().post("/auth/signup").json(&wrong).refused(422, "validation_error").await?;
        let all = ["first_name", "last_name", "username", "email", "password"];
        assert_eq!(fields(&refusal), HashSet::from(all), "{refusal}");
        let missing = stack.api().post("/auth/signup").json(&json!({})).refused(422, "validation_error").await?;
        assert_eq!(fields(&missing), HashSet::from(all), "{missing}");
    }

    async fn lengths_are_the_contracts(stack: &Stack) {
        let long = |pattern: &str, length: usize| pattern.repeat(length);
        let edge = Person { first_name: long("ü", 64), last_name: long("x", 64), username: long("李", 32), ..Person::new() };
        stack.sign_up(&edge.with_password(&format!("pa55-{}", long("ß", 123)))).await?;
        let short = Person { first_name: "L".to_owned(), ..Person::new() }.with_password("pa55-abc");
        stack.sign_up(&short).await?;
        let too_much = [
            ("first_name", long("ü", 65)),
            ("last_name", long("x", 65)),
            ("username", long("u", 33)),
            ("password", format!("pa55-{}", long("x", 124))),
            ("password", "pa55-ab".to_owned()),
            ("email", format!("kim-{}@people.test", long("x", 250))),
        ];
        for (field, value) in too_much {
            let mut person = serde_json::to_value(Person::new())?;
            person[field] = json!(value);
            let refusal = stack.api().post("/auth/signup").json(&person).refused(422, "validation_error").await?;
            assert_eq!(fields(&refusal), HashSet::from([field]), "{refusal}");
        }
    }

    async fn control_characters_are_refused_in_every_field(stack: &Stack) {
        for field in ["first_name", "last_name", "username", "email", "password"] {
            for evil in ["\r\nBcc: x@y.test", "\u{0}", "\u{1b}[2J", "\u{7f}", "\u{85}"] {
                let mut person = serde_json::to_value(Person::new())?;
                let (begin, end) = person[field].as_str().context("text")?.split_at(2);
                person[field] = json!(format!("{begin}{evil}{end}"));
                let refusal = stack.api().post("/auth/signup").json(&person).refused(422, "validation_error").await?;
                assert_eq!(fields(&refusal), HashSet::from([field]), "{evil:?}: {refusal}");
            }
        }
    }

    async fn a_refusal_does_not_repeat_the_password(stack: &Stack) {
        let person = Person::new().with_password("pa55-ab");
        let refusal = stack.api().post("/auth/signup").json(&person).refused(422, "validation_error").await?;
        assert!(!refusal.to_string().contains("pa55-ab"), "{refusal}");
    }

    async fn accounts_survive_a_killed_api(stack: &Stack) {
        let person = Person::new();
        stack.sign_up(&person).await?;
        stack.restart_api().await?;
        stack.log_in(&person).await?;
        stack.link(&person.email, "Verify your email").await?;
    }
}
