//! The mechanisms of AUTH with an access token: XOAUTH2, and OAUTHBEARER (RFC 7628).

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum TokenMechanism {
    XOAuth2,
    OAuthBearer,
}

impl TokenMechanism {
    pub(super) fn of(name: &str) -> Option<TokenMechanism> {
        match name.to_ascii_uppercase().as_str() {
            "XOAUTH2" => Some(TokenMechanism::XOAuth2),
            "OAUTHBEARER" => Some(TokenMechanism::OAuthBearer),
            _ => None,
        }
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            TokenMechanism::XOAuth2 => "XOAUTH2",
            TokenMechanism::OAuthBearer => "OAUTHBEARER",
        }
    }

    /// The token in a response for this user at this port.
    pub(super) fn token(self, response: &str, user: &str, port: u16) -> Option<String> {
        let before = match self {
            TokenMechanism::XOAuth2 => format!("user={user}\x01auth=Bearer "),
            TokenMechanism::OAuthBearer => {
                format!("n,a={user},\x01host=localhost\x01port={port}\x01auth=Bearer ")
            }
        };
        Some(response.strip_prefix(&before)?.strip_suffix("\x01\x01")?.to_owned())
    }

    /// What the client says after the reason.
    pub(super) fn dummy(self) -> &'static str {
        match self {
            TokenMechanism::XOAuth2 => "",
            TokenMechanism::OAuthBearer => "AQ==",
        }
    }
}
