//! Persons with an account: signed up, verified, logged in.

use reqwest::RequestBuilder;
use serde_json::{Value, json};

use super::installation::Stack;
use crate::client::Expect;
use crate::person::Person;

/// The tokens of one session.
#[derive(Debug, Clone)]
pub struct Tokens {
    /// For protected endpoints.
    pub access: String,
    /// For new access tokens.
    pub refresh: String,
}

/// A person with a verified account and a session.
#[derive(Debug, Clone)]
pub struct Member {
    pub person: Person,
    /// The id of the account.
    pub uid: String,
    pub tokens: Tokens,
}

impl Stack {
    /// Signs a person up and returns the account.
    pub async fn sign_up(&self, person: &Person) -> anyhow::Result<Value> {
        let mut answer = self.api().post("/auth/signup").json(person).expect(201).await?;
        Ok(answer["user"].take())
    }

    /// Signs a person up and follows the link in the email.
    pub async fn sign_up_and_verify(&self, person: &Person) -> anyhow::Result<Value> {
        let user = self.sign_up(person).await?;
        let link = self.link(&person.email, "Verify your email").await?;
        self.api().post(&link).expect(200).await?;
        Ok(user)
    }

    /// A request to log in.
    pub fn log_in_as(&self, person: &Person) -> RequestBuilder {
        let body = json!({"email": person.email, "password": person.password});
        self.api().post("/auth/login").json(&body)
    }

    pub async fn log_in(&self, person: &Person) -> anyhow::Result<Tokens> {
        let answer = self.log_in_as(person).expect(200).await?;
        let token = |name: &str| answer[name].as_str().unwrap_or_default().to_owned();
        Ok(Tokens { access: token("access_token"), refresh: token("refresh_token") })
    }

    /// A new person with a verified account and a session.
    pub async fn member(&self) -> anyhow::Result<Member> {
        let person = Person::new();
        let user = self.sign_up_and_verify(&person).await?;
        let tokens = self.log_in(&person).await?;
        Ok(Member { person, uid: user["uid"].as_str().unwrap_or_default().to_owned(), tokens })
    }

    /// A new person with the role admin.
    pub async fn admin(&self) -> anyhow::Result<Member> {
        let member = self.member().await?;
        self.command("bookly-api", &["user", "role", &member.person.email, "admin"]).await?.succeeded()?;
        Ok(Member { tokens: self.log_in(&member.person).await?, ..member })
    }

    /// A request for a reset link.
    pub fn ask_for_reset(&self, email: &str) -> RequestBuilder {
        self.api().post("/auth/password-reset-request").json(&json!({"email": email}))
    }

    /// A request that sets a new password with a link.
    pub fn reset(&self, link: &str, password: &str) -> RequestBuilder {
        self.api().post(link).json(&json!({"new_password": password, "confirm_new_password": password}))
    }

    /// A request for the own account.
    pub fn me(&self, access: &str) -> RequestBuilder {
        self.api().get("/auth/me").bearer_auth(access)
    }

    /// A request for a new access token.
    pub fn refresh(&self, refresh: &str) -> RequestBuilder {
        self.api().post("/auth/refresh_token").bearer_auth(refresh)
    }
}
