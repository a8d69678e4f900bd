//! From variables to [`Settings`].

use std::net::SocketAddr;
use std::path::Path;

use ipnet::IpNet;
use secrecy::{ExposeSecret, SecretString};

use super::problem::shown;
use super::secret_file::{NoSecret, SecretFileError};
use super::source::Source;
use super::{
    LinkLifetimes, MailboxLimits, PublicUrl, Settings, bounces, database, doctor, links, mail, product,
    redis, secret_file, table, traces, values,
};
use crate::domain::JwtAlgorithm;
use crate::locale::Locale;
use crate::tls::Trust;

/// The shortest `JWT_SECRET`, in bytes: a key as long as HS256's hash (RFC 7518, section 3.2).
const SHORTEST_SECRET: usize = 32;

/// `None` only where a problem is reported. Everything is read before the first `?`, so that every problem is found.
pub(super) fn settings(source: &mut Source) -> Option<Settings> {
    let data_dir = source.optional(&table::DATA_DIR, values::data_folder);
    let trust = trust(source);
    let database = database::read(source, data_dir.as_deref().unwrap_or(Path::new("")), trust.as_ref());
    let migrate_on_start = source.optional(&table::MIGRATE_ON_START, values::boolean);
    let redis = redis::read(source);
    let listen = source.optional(&table::LISTEN, values::socket_address);
    let public_url = public_url(source, listen);
    let app_name = product::name(source);
    let mail = mail::read(source, public_url.as_ref(), app_name.as_deref());
    let product = product::read(source, app_name.or_else(|| Some(mail.as_ref()?.from_name.clone())));
    let bounces = bounces::read(source);
    let links = links::read(source);
    let default_locale = source
        .optional(&table::DEFAULT_LOCALE, |text| Locale::nearest(text).map_err(|error| error.to_string()));
    let template_folder = source.optional(&table::TEMPLATE_FOLDER, values::existing_folder);
    let queue_name = source.optional(&table::QUEUE_NAME, values::queue_name);
    let jwt_algorithm = source.optional(&table::JWT_ALGORITHM, |text| {
        text.parse::<JwtAlgorithm>().map_err(|error| error.to_string())
    });
    let worker_concurrency = source.optional(&table::WORKER_CONCURRENCY, values::number_in(1..=1024));
    let worker_rate = source.optional(&table::WORKER_RATE, values::number_in(1..=1000));
    let others_come = source.others_come();
    let metrics_token = source.secret(&table::METRICS_TOKEN, |text| bearer_token(text, others_come));
    let metrics_listen = source.optional(&table::METRICS_LISTEN, values::socket_address);
    let traces = traces::read(source, trust.as_ref());
    let doctor = doctor::read(source);
    let docs = source.optional(&table::DOCS, values::boolean);
    let rate_limit = source.optional(&table::RATE_LIMIT, values::boolean);
    let trusted_proxies = trusted_proxies(source);
    let cors_origins = source.optional(&table::CORS_ORIGINS, values::origins);
    let verify_on_get = source.optional(&table::VERIFY_ON_GET, values::boolean);
    let unverified_account_days =
        source.optional(&table::UNVERIFIED_ACCOUNT_DAYS, values::number_in(1..=3650));
    let jwt_previous_secret = source.secret(&table::JWT_PREVIOUS_SECRET, long_secret);
    let link_secret = source.secret(&table::LINK_SECRET, long_secret);
    let link_previous_secret = match (source.secret(&table::LINK_PREVIOUS_SECRET, long_secret), &link_secret)
    {
        // While one secret signs both, its predecessor is accepted for both.
        (None, None) => jwt_previous_secret.clone(),
        (previous, _) => previous,
    };
    let lifetimes = lifetimes(source);
    let mailbox_limits = mailbox_limits(source);
    let base_mailbox_limit_per_day =
        source.optional(&table::BASE_MAILBOX_LIMIT_PER_DAY, values::number_in(1..=10_000));
    let mail_retention_days = source.optional(&table::MAIL_RETENTION_DAYS, values::number_in(1..=3650));
    // Last, because it may make a file, and a start that stops should make none.
    let jwt_secret = jwt_secret(source, data_dir.as_deref(), link_secret.is_some());
    let public_url = public_url?;
    let jwt_secret = jwt_secret?;
    Some(Settings {
        warnings: Vec::new(),
        database: database?,
        migrate_on_start: migrate_on_start?,
        redis,
        mail: mail?,
        bounces,
        product: product?,
        links,
        template_folder,
        default_locale: default_locale?,
        listen: listen?,
        data_dir: data_dir?,
        queue_name: queue_name?,
        trust: trust?,
        link_secret: link_secret.unwrap_or_else(|| jwt_secret.clone()),
        link_previous_secret,
        jwt_secret,
        jwt_previous_secret,
        jwt_algorithm: jwt_algorithm?,
        worker_concurrency: worker_concurrency?,
        worker_rate,
        metrics_token,
        metrics_listen,
        traces,
        doctor,
        docs: docs?,
        rate_limit: rate_limit?,
        trusted_proxies: trusted_proxies.unwrap_or_default(),
        cors_origins: cors_origins.unwrap_or_default(),
        verify_on_get: verify_on_get.unwrap_or_else(|| public_url.is_this_machine()),
        public_url,
        unverified_account_days: unverified_account_days?,
        lifetimes: lifetimes?,
        mailbox_limits: mailbox_limits?,
        base_mailbox_limit_per_day: base_mailbox_limit_per_day?,
        mail_retention_days: mail_retention_days?,
    })
}

fn public_url(source: &mut Source, listen: Option<SocketAddr>) -> Option<PublicUrl> {
    let of_port = || listen.map(|address| PublicUrl::on_this_machine(address.port()));
    source.optional_or(&table::DOMAIN, PublicUrl::parse, of_port)
}

/// Public authorities alone where the setting is not set.
fn trust(source: &mut Source) -> Option<Trust> {
    let read = |path: &str| Trust::read(Path::new(path)).map_err(|error| error.to_string());
    source.optional_or(&table::SSL_CERT_FILE, read, || Some(Trust::default()))
}

fn trusted_proxies(source: &mut Source) -> Option<Vec<IpNet>> {
    let networks = source.optional(&table::TRUSTED_PROXIES, values::networks)?;
    if networks.iter().any(|network| network.prefix_len() == 0) {
        source.warn(
            "TRUSTED_PROXIES trusts every address: each client can choose the address that limits and the log see; name \
             the networks of your proxies only",
        );
    }
    Some(networks)
}

fn mailbox_limits(source: &mut Source) -> Option<MailboxLimits> {
    let per_quarter_hour = source.optional(&table::MAILBOX_LIMIT, values::number_in(1..=1_000));
    let per_day = source.optional(&table::MAILBOX_LIMIT_PER_DAY, values::number_in(1..=10_000));
    Some(MailboxLimits { per_quarter_hour: per_quarter_hour?, per_day: per_day? })
}

fn lifetimes(source: &mut Source) -> Option<LinkLifetimes> {
    let email_verification = source.optional(&table::EMAIL_VERIFICATION_LIFETIME, values::lifetime);
    let password_reset = source.optional(&table::PASSWORD_RESET_LIFETIME, values::lifetime);
    let email_change = source.optional(&table::EMAIL_CHANGE_LIFETIME, values::lifetime);
    Some(LinkLifetimes {
        email_verification: email_verification?,
        password_reset: password_reset?,
        email_change: email_change?,
    })
}

/// Several processes must share the secret, so only embedded mode, which is one process, makes its own.
fn jwt_secret(source: &mut Source, data_dir: Option<&Path>, has_link_secret: bool) -> Option<SecretString> {
    if source.is_set(&table::JWT_SECRET) {
        return source.secret(&table::JWT_SECRET, long_secret);
    }
    if source.is_set(&table::DATABASE_URL) {
        source.require(
            &table::JWT_SECRET,
            "with DATABASE_URL at least 32 bytes are needed (openssl rand -hex 32)",
        );
        return None;
    }
    if source.has_problems() {
        return None;
    }
    let missing = match source.no_secret() {
        // Then this one checks nothing.
        NoSecret::Refuse if has_link_secret => NoSecret::Random,
        missing => missing,
    };
    match secret_file::load(data_dir?, missing) {
        Ok(secret) => stored_secret(source, secret),
        Err(error) => {
            let needed = match &error {
                SecretFileError::Unreadable(why) | SecretFileError::NotStored(why) => why.to_string(),
                SecretFileError::Missing => {
                    "set LINK_SECRET or JWT_SECRET as the service has it, or run this in the \
                    folder of the service's .env or with its DATA_DIR"
                        .to_owned()
                }
            };
            source.refuse(&table::JWT_SECRET, &error.to_string(), needed);
            None
        }
    }
}

fn stored_secret(source: &mut Source, secret: SecretString) -> Option<SecretString> {
    let text = secret.expose_secret();
    if let Err(needed) = long_secret(text) {
        let finding = format!("of the file jwt_secret under DATA_DIR {}", shown(text, true));
        source.refuse(&table::JWT_SECRET, &finding, needed);
        return None;
    }
    Some(secret)
}

fn long_secret(text: &str) -> Result<String, String> {
    if text.len() >= SHORTEST_SECRET {
        Ok(text.into())
    } else {
        Err(format!("at least {SHORTEST_SECRET} bytes are needed (openssl rand -hex 32)"))
    }
}

/// The shortest `METRICS_TOKEN` where others reach the service, in characters. Attempts at it are not limited.
const SHORTEST_METRICS_TOKEN: usize = 16;

/// Other characters cannot be sent in an `Authorization` header.
fn bearer_token(text: &str, others_come: bool) -> Result<String, String> {
    if !text.chars().all(|c| c.is_ascii_graphic()) {
        Err("ASCII letters, digits and signs without spaces are needed".into())
    } else if others_come && text.len() < SHORTEST_METRICS_TOKEN {
        Err(format!(
            "where DOMAIN is not this machine, at least {SHORTEST_METRICS_TOKEN} characters are needed \
            (openssl rand -hex 32)"
        ))
    } else {
        Ok(text.into())
    }
}
