//! The table of all settings. The reader takes names and defaults from it; tests compare README and `.env.example` with
//! it.

use std::fmt::Write as _;

/// The value of a setting that is not set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unset {
    /// This text, read like a value that is set.
    Default(&'static str),
    /// A value that depends on other settings, described in words; may be empty.
    Means(&'static str),
}

/// One row of the table. Only this module makes rows, so every setting that is read is in the table.
#[derive(Debug, PartialEq, Eq)]
pub struct Setting {
    name: &'static str,
    unset: Unset,
    secret: bool,
    description: &'static str,
}

impl Setting {
    /// The variable's name.
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// Its value while it is not set.
    pub const fn unset(&self) -> Unset {
        self.unset
    }

    /// Whether its value must never be shown. A secret can also be read from a file, see [`Setting::file_name`].
    pub const fn is_secret(&self) -> bool {
        self.secret
    }

    /// What it does, in a sentence.
    pub const fn description(&self) -> &'static str {
        self.description
    }

    /// For a secret, the variable that names a file to read it from.
    pub fn file_name(&self) -> Option<String> {
        self.secret.then(|| format!("{}_FILE", self.name))
    }

    /// Whether the variable `name` is this one, or names its file.
    pub fn is_read_from(&self, name: &str) -> bool {
        self.name == name || self.file_name().is_some_and(|file_name| file_name == name)
    }

    /// Its value while it is not set, as text.
    pub const fn unset_text(&self) -> &'static str {
        match self.unset {
            Unset::Default(text) | Unset::Means(text) => text,
        }
    }
}

/// Makes each row twice: a static with the setting's name, by which it is read, and a row of [`SETTINGS`]. So a setting
/// that nothing reads is a static that nothing uses, and the compiler names it.
macro_rules! table {
    ($($name:ident: $kind:ident, $unset:expr, $description:expr;)*) => {
        $(pub(super) static $name: Setting = table!(@row $name, $kind, $unset, $description);)*

        /// All settings, in the order in which they are documented.
        pub static SETTINGS: &[&Setting] = &[$(&table!(@row $name, $kind, $unset, $description)),*];
    };
    (@row $name:ident, $kind:ident, $unset:expr, $description:expr) => {
        Setting {
            name: stringify!($name),
            unset: $unset,
            secret: table!(@secret $kind),
            description: $description,
        }
    };
    (@secret secret) => { true };
    (@secret plain) => { false };
}

use Unset::{Default, Means};

table! {
    DATABASE_URL: secret, Means("SQLite under DATA_DIR"),
        "Postgres: `postgres://user:password@host/database`; `postgresql+asyncpg://` works too.";
    DATABASE_POOL_SIZE: plain, Default("16"),
        "How many connections to Postgres one process opens, 7 to 1000.";
    MIGRATE_ON_START: plain, Default("true"),
        "Apply pending migrations at the start. `false`: they stop the start, and `bookly-api migrate` applies them.";
    REDIS_URL: secret, Means("no Redis"),
        "Redis: `redis://host:6379/0` or `rediss://…`. Allows any number of worker processes; needs Postgres.";
    REDIS_HOST: plain, Means("no Redis"), "The host of Redis, if `REDIS_URL` is not set.";
    REDIS_PORT: plain, Default("6379"), "The port for `REDIS_HOST`.";
    QUEUE_NAME: plain, Default("bookly"),
        "The prefix of all keys in Redis, so that two installations can share one.";
    SSL_CERT_FILE: plain, Means("public authorities only"),
        "A file of certificates (PEM) that are trusted too, at the mail and token server, Redis, Postgres and the collector of traces.";
    JWT_SECRET: secret, Means("made and stored under DATA_DIR with SQLite, required with Postgres"),
        "Signs access and refresh tokens; at least 32 bytes.";
    JWT_PREVIOUS_SECRET: secret, Means("none"),
        "The `JWT_SECRET` before a change: accepted in tokens, never used to sign.";
    LINK_SECRET: secret, Means("JWT_SECRET"), "Signs the links in emails; at least 32 bytes.";
    LINK_PREVIOUS_SECRET: secret, Means("JWT_PREVIOUS_SECRET while LINK_SECRET is not set, else none"),
        "The `LINK_SECRET` before a change: accepted in links, never used to sign.";
    JWT_ALGORITHM: plain, Default("HS256"), "The algorithm that signs access tokens: `HS256`, `HS384` or `HS512`.";
    LISTEN: plain, Default("127.0.0.1:8000"), "The address and port of the API.";
    DOMAIN: plain, Means("this machine with LISTEN's port, required with SMTP"),
        "Where users reach the service: a host, host:port or URL. A host alone means https, unless it is this machine.";
    DATA_DIR: plain, Default("data"), "The folder for everything that is stored in files.";
    MAIL_TRANSPORT: plain, Means("smtp with MAIL_SERVER, file without it and without DATABASE_URL"),
        "How emails are sent: `smtp`, or `file` for `.eml` files under DATA_DIR/mail, shown at `/inbox`.";
    MAIL_SERVER: plain, Means("no SMTP"), "The host of the SMTP server.";
    MAIL_PORT: plain, Default("587"), "The port of the SMTP server.";
    MAIL_STARTTLS: plain, Means("true, false with MAIL_SSL_TLS"),
        "Encrypt the connection with STARTTLS.";
    MAIL_SSL_TLS: plain, Default("false"),
        "Encrypt the connection from the first byte, usually on port 465.";
    USE_CREDENTIALS: plain, Default("true"), "Log in to the SMTP server.";
    VALIDATE_CERTS: plain, Default("true"), "Check the certificate of the SMTP server.";
    MAIL_USERNAME: plain, Means("required with SMTP and USE_CREDENTIALS"), "The user name for the SMTP server.";
    MAIL_PASSWORD: secret, Means("required with SMTP, USE_CREDENTIALS and MAIL_AUTH=password"),
        "The password for the SMTP server.";
    MAIL_AUTH: plain, Default("password"),
        "How to log in to the SMTP server: `password`, or with an access token `xoauth2` (Gmail, Exchange Online) or \
         `oauthbearer`.";
    MAIL_OAUTH_TOKEN_URL: plain, Means("the key file's with a service account, else required with access tokens"),
        "Where access tokens are fetched; https unless it is this machine.";
    MAIL_OAUTH_CLIENT_ID: plain, Means("required with access tokens, without a service account"),
        "The application that is registered at the token server.";
    MAIL_OAUTH_CLIENT_SECRET: secret, Means("none; required without a refresh token and a service account"),
        "The application's secret. Without a refresh token it alone fetches access tokens (client credentials).";
    MAIL_OAUTH_REFRESH_TOKEN: secret, Means("client credentials"),
        "The refresh token of the mailbox, with which access tokens are fetched.";
    MAIL_OAUTH_SCOPE: plain, Means("https://mail.google.com/ with a service account, else the token server's choice"),
        "What an access token allows, for example `https://outlook.office365.com/.default`.";
    MAIL_OAUTH_SERVICE_ACCOUNT_FILE: plain, Means("no service account"),
        "The key file (JSON, RSA) of a service account that may act for `MAIL_USERNAME`; instead of client and refresh token.";
    MAIL_FALLBACK_SERVER: plain, Means("no fallback"),
        "The host of the fallback: a second SMTP server, used while the first one cannot be.";
    MAIL_FALLBACK_PORT: plain, Default("587"), "The port of the fallback.";
    MAIL_FALLBACK_STARTTLS: plain, Means("true, false with MAIL_FALLBACK_SSL_TLS"),
        "Encrypt the connection to the fallback with STARTTLS.";
    MAIL_FALLBACK_SSL_TLS: plain, Default("false"),
        "Encrypt the connection to the fallback from the first byte.";
    MAIL_FALLBACK_USE_CREDENTIALS: plain, Default("true"), "Log in to the fallback.";
    MAIL_FALLBACK_VALIDATE_CERTS: plain, Default("true"), "Check the certificate of the fallback.";
    MAIL_FALLBACK_USERNAME: plain, Means("required with MAIL_FALLBACK_SERVER and MAIL_FALLBACK_USE_CREDENTIALS"),
        "The user name for the fallback.";
    MAIL_FALLBACK_PASSWORD: secret, Means("required with MAIL_FALLBACK_SERVER and MAIL_FALLBACK_USE_CREDENTIALS"),
        "The password for the fallback.";
    MAIL_FROM: plain, Means("noreply@localhost.localdomain with files, required with SMTP"),
        "The address of the sender.";
    MAIL_FROM_NAME: plain, Means("APP_NAME, or Bookly without it"), "The name of the sender.";
    MAIL_HELO_NAME: plain, Means("the machine's name if it has a dot, else DOMAIN's host if it has one, else MAIL_FROM's domain"),
        "The name of this machine in EHLO, or its address in brackets.";
    MAIL_BOUNCE_ADDRESS: plain, Means("MAIL_FROM, without names of emails"),
        "Where bounces are sent to: with `bounces@example.org` the envelope sender is `bounces+<id>.<signature>@example.org`, which `bookly-worker bounce` reads.";
    BOUNCE_POSTMARK_CREDENTIALS: secret, Means("no reports of Postmark"),
        "`user:password` of the webhook by which Postmark reports bounces and complaints to `/api/v1/bounces/postmark`.";
    BOUNCE_MAILGUN_SIGNING_KEY: secret, Means("no reports of Mailgun"),
        "The HTTP webhook signing key of Mailgun, for `/api/v1/bounces/mailgun`.";
    BOUNCE_SENDGRID_PUBLIC_KEY: secret, Means("no reports of SendGrid"),
        "The verification key of SendGrid's signed event webhook (base64), for `/api/v1/bounces/sendgrid`.";
    BOUNCE_RESEND_SECRET: secret, Means("no reports of Resend"),
        "The signing secret of Resend's webhook (`whsec_…`), for `/api/v1/bounces/resend`.";
    MAIL_RETENTION_DAYS: plain, Default("30"),
        "Days after which sent, failed and cancelled emails are deleted, 1 to 3650; after one day those to addresses without an account.";
    APP_NAME: plain, Means("MAIL_FROM_NAME"),
        "The product's name in emails, pages and the API's documentation, up to 64 characters.";
    BRAND_COLOR: plain, Default("#1c6b58"),
        "The colour of buttons and links, `#rrggbb`; its contrast to white must be 4.5:1 or more.";
    LOGO_URL: plain, Means("the product's name"),
        "The product's logo in emails and pages, an `https` URL; 40 pixels high, at most 240 wide.";
    HOME_URL: plain, Means("DOMAIN"),
        "Where the product's name leads: in the footer of emails, at the top of pages, on the button of the welcome email.";
    SUPPORT_EMAIL: plain, Means("none"),
        "Where people write to: `Reply-To` of emails, and the footer of emails and pages.";
    SAMPLE_BOOKS: plain, Default("on"),
        "The sample resource at `/api/v1/books`, and `books` in `/auth/me`; `off` removes both.";
    DEFAULT_LOCALE: plain, Default("en"),
        "The language of emails and pages for people whose own is not known or not shipped: `en`, `de`, `fr`, `es`, `it`, \
         `pt-BR`, `nl`, `pl`, `uk`, `tr`, `ja`, `zh-Hans` or `ar`.";
    TEMPLATE_FOLDER: plain, Means("the built-in templates"),
        "A folder whose templates replace the built-in ones file by file, and texts message by message.";
    WORKER_CONCURRENCY: plain, Default("16"), "How many emails one worker sends at the same time, 1 to 1024.";
    WORKER_RATE: plain, Means("no limit"),
        "How many emails per second one worker sends at most, 1 to 1000: for mail servers that limit their clients.";
    EMAIL_VERIFICATION_LIFETIME: plain, Default("3600"),
        "Seconds that a link to verify an account is valid, 60 to 604800.";
    PASSWORD_RESET_LIFETIME: plain, Default("3600"),
        "Seconds that a link to reset a password is valid, 60 to 604800.";
    EMAIL_CHANGE_LIFETIME: plain, Default("3600"),
        "Seconds that a link to confirm a new address is valid, 60 to 604800.";
    VERIFY_URL: plain, Means("the built-in page"),
        "Where the link that verifies an account leads: a URL of your frontend with `{token}` in it once; https unless it is this machine.";
    PASSWORD_RESET_URL: plain, Means("the built-in page"), "The same for the link to a new password.";
    EMAIL_CHANGE_URL: plain, Means("the built-in page"), "The same for the link that confirms a new address.";
    EMAIL_CHANGE_UNDO_URL: plain, Means("the built-in page"), "The same for the link that restores the old address.";
    PASSWORD_RESET_REQUEST_URL: plain, Means("the built-in page"),
        "Where notices lead people who want a new password: a URL without `{token}`.";
    AFTER_VERIFY_URL: plain, Means("no button"),
        "Where the button of the built-in page leads after an account is verified.";
    AFTER_RESET_URL: plain, Means("no button"),
        "Where the button of the built-in page leads after a password is reset.";
    VERIFY_ON_GET: plain, Means("true where DOMAIN is this machine, else false"),
        "Whether GET on a verification link verifies, for clients that are not browsers; `false`: only POST does.";
    UNVERIFIED_ACCOUNT_DAYS: plain, Default("7"),
        "Days after which accounts that signed up and were never verified are deleted, 1 to 3650.";
    MAILBOX_LIMIT: plain, Default("3"),
        "How many emails of a kind a mailbox gets on request in 15 minutes, 1 to 1000. Beyond that it gets one while no earlier link is valid. A mailbox that bounced gets one in 24 hours, also if a stranger asks for it.";
    MAILBOX_LIMIT_PER_DAY: plain, Default("10"), "The same in 24 hours, 1 to 10000.";
    BASE_MAILBOX_LIMIT_PER_DAY: plain, Default("20"),
        "How many sign-ups and address changes a mailbox gets in 24 hours, 1 to 10000. Addresses that differ only after a `+` are one mailbox here.";
    RATE_LIMIT: plain, Default("on"), "Limits per client address; `off` removes them, for load tests.";
    DOCS: plain, Default("on"),
        "The API's documentation at `/api/v1/docs` and `/api/v1/openapi.json`; `off` hides both.";
    TRUSTED_PROXIES: plain, Means("none"),
        "Proxies whose `X-Forwarded-For` is believed: addresses or CIDRs, separated by commas.";
    CORS_ORIGINS: plain, Means("none"),
        "Origins of web applications and apps that may call the API from a browser, such as `https://app.example.org` or \
         `capacitor://localhost`, separated by commas.";
    METRICS_TOKEN: secret, Means("this machine only"),
        "The bearer token for `/metrics`, for clients on other machines, and for all where `DOMAIN` is not this machine: there at least 16 characters.";
    METRICS_LISTEN: plain, Means("none"), "The address and port where a worker process serves its own `/metrics`.";
    MAIL_DKIM_SELECTOR: plain, Means("DKIM is not checked"),
        "The selector of the key that signs your emails (`s=` in `DKIM-Signature`); `doctor` looks for the key in the DNS.";
    DOCTOR_SENDING_IP: plain, Means("the addresses of MAIL_SERVER"),
        "The address that receivers see your emails come from; `doctor` looks whether SPF allows it, and for its name.";
    DOCTOR_DNS: plain, Means("the system's resolver"), "The resolver that `doctor` asks, for tests: an address and port.";
    OTEL_EXPORTER_OTLP_ENDPOINT: plain, Means("traces are not exported"),
        "The collector for traces, by OTLP over HTTP, for example `http://localhost:4318`; `/v1/traces` is added.";
    OTEL_EXPORTER_OTLP_HEADERS: secret, Means("none"),
        "Headers for the collector, for example a key: `name=value`, separated by commas.";
    OTEL_SERVICE_NAME: plain, Means("bookly-api, bookly-worker"), "The name of the service in traces.";
}

/// The table as Markdown, for the README.
pub fn markdown() -> String {
    let mut text = String::from("| setting | when not set | what it is for |\n|---|---|---|\n");
    for setting in SETTINGS {
        let unset = match setting.unset {
            Default(value) => format!("`{value}`"),
            Means(words) => words.to_owned(),
        };
        // Writing to a String cannot fail.
        let _ = writeln!(text, "| `{}` | {unset} | {} |", setting.name, setting.description);
    }
    text
}

/// The table as plain lines, for a terminal.
pub fn help() -> String {
    let mut text = String::new();
    for setting in SETTINGS {
        let _ = writeln!(text, "{}\n    {}", setting.name, setting.description.replace('`', ""));
        if !setting.unset_text().is_empty() {
            let _ = writeln!(text, "    When not set: {}", setting.unset_text());
        }
    }
    text
}
