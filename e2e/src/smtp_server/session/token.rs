//! AUTH with an access token. What the client sends must be right to the byte.

use std::io;

use base64::{Engine, prelude::BASE64_STANDARD};

use super::token_mechanism::TokenMechanism;
use super::{Next, Session, decoded};

/// Why a token is refused, as Google's server says it.
const REASON: &str = r#"{"status":"401","schemes":"bearer","scope":"https://mail.google.com/"}"#;
/// The longest command, with its line end (RFC 5321 §4.5.3.1.4).
const LONGEST_COMMAND: usize = 512;

impl Session {
    /// A refusal repeats what the client sent.
    pub(super) async fn auth_with_token(
        &mut self,
        mechanism: TokenMechanism,
        initial: &str,
    ) -> io::Result<Next> {
        if "AUTH  \r\n".len() + mechanism.name().len() + initial.len() > LONGEST_COMMAND {
            self.reply("500 5.5.2 line too long");
            return Ok(Next::Command);
        }
        let prompted = if initial.is_empty() { Some(self.challenge("").await?) } else { None };
        let response = prompted.unwrap_or_else(|| decoded(initial));
        let known = self.shared.options.access_tokens.clone();
        let known = known.filter(|_| self.shared.options.auth_mechanisms.contains(&mechanism.name()));
        let Some((user, tokens)) = known else {
            self.reply("504 5.5.4 no such mechanism");
            return Ok(Next::Command);
        };
        match mechanism.token(&response, &user, self.port) {
            Some(token) if tokens.accepts(&token) => {
                self.user = Some(user);
                self.reply("235 2.7.0 welcome");
            }
            Some(token) => {
                self.reply(&format!("334 {}", BASE64_STANDARD.encode(REASON)));
                let dummy = self.line().await?;
                if dummy.as_deref() == Some(mechanism.dummy()) {
                    let repeated = BASE64_STANDARD.encode(&response);
                    self.reply(&format!("535 5.7.8 token not accepted: {token} {repeated}"));
                } else {
                    self.reply("501 5.5.2 not an answer to the reason");
                }
            }
            None => self.reply("501 5.5.2 not a response of this mechanism"),
        }
        Ok(Next::Command)
    }
}
