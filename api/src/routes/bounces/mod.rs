//! `POST /api/v1/bounces/{provider}`: what providers report of emails that they accepted.
//!
//! Each provider proves in its own way that it made the call; a proof of the body is checked on its bytes as they came.
//! An event counts only if it names an email of this service and that email's recipient: an account at a provider may
//! have other applications.

mod count;
mod event;
mod mailgun;
mod postmark;
mod record;
mod resend;
mod sendgrid;

use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{DefaultBodyLimit, Path, Request, State};
use bookly_shared::domain::ReportSource;
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(crate) use self::count::start_series;
use self::count::{REFUSED, count};
use self::event::{Call, Events, Refusal};
use crate::client_address::Peer;
use crate::error::{ApiError, ApiResult};
use crate::extract::bytes_within;
use crate::openapi::errors;
use crate::state::AppState;

/// Where providers call. They send no cookie, so calls of other sites are not refused here.
pub(crate) const PATH: &str = "/api/v1/bounces/";
/// Providers send many events at once.
const MAX_REPORT_BYTES: usize = 1024 * 1024;

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(report)).layer(DefaultBodyLimit::max(MAX_REPORT_BYTES))
}

#[derive(Debug, Serialize, ToSchema)]
struct ReportAccepted {
    #[schema(example = "Accepted")]
    message: &'static str,
}

errors!(ReportErrors:
    [ApiError::NotFound, ApiError::InvalidSignature, ApiError::InvalidBasicAuth, ApiError::MalformedBody("The body is not valid JSON".into())],
    [ApiError::BodyTooLarge], limited(), always());

#[utoipa::path(
    post, path = "/api/v1/bounces/{provider}", tag = "Reports", operation_id = "report_bounces",
    summary = "Reports of bounces and complaints",
    description = "For the webhooks of mail providers, in the form of their documentation. 404 where the provider's \
        `BOUNCE_…` setting is missing. Bodies up to 1 MiB. Events that are no bounce or complaint, or that name no email of \
        this service, change nothing.",
    params(("provider" = String, Path, description = "`postmark`, `mailgun`, `sendgrid` or `resend`")),
    request_body(content = serde_json::Value, description = "An event, or a list of events, as the provider documents it"),
    security(("provider" = [])),
    responses((status = 200, description = "The report is recorded, or concerns no email of this service", body = ReportAccepted), ReportErrors)
)]
async fn report(
    State(state): State<AppState>,
    provider: Result<Path<String>, PathRejection>,
    request: Request,
) -> ApiResult<Json<ReportAccepted>> {
    let Path(provider) = provider.map_err(|_| ApiError::NotFound)?;
    let (source, read, secret) = provider_of(&state, &provider).ok_or(ApiError::NotFound)?;
    let (headers, peer) = (request.headers().clone(), Peer::of(request.extensions()));
    let call = Call { headers: &headers, body: &[], now: state.now() };
    let (read, call_mark) = if is_refused_unread(source, &call, secret) {
        (Err(Refusal::WrongProof), None)
    } else {
        let body = bytes_within(request, &state, MAX_REPORT_BYTES).await?;
        let call = Call { body: &body, ..call };
        let read = read(&call, secret.expose_secret());
        let is_mailgun = source == ReportSource::Mailgun;
        let call_mark = if is_mailgun { mailgun::mark_of_call(&call, &read) } else { None };
        (read, call_mark)
    };
    let (events, malformed) = match read {
        Ok(events) => (events, None),
        Err(Refusal::Malformed(why)) => (Vec::new(), Some(why)),
        Err(refusal) => {
            // Right proofs are never limited: a provider may report a thousand bounces at once.
            state.rate_limiter.count(peer, &headers).await?;
            if let Refusal::Unproved(why) = refusal {
                return Err(ApiError::MalformedBody(why.to_owned()));
            }
            count(source, REFUSED);
            if source == ReportSource::Postmark {
                tracing::warn!(provider, "refused a report: its user or password is wrong");
                return Err(ApiError::InvalidBasicAuth);
            }
            tracing::warn!(provider, "refused a report: its signature is wrong, or too old");
            return Err(ApiError::InvalidSignature);
        }
    };
    record::record(&state, source, events, call_mark).await?;
    match malformed {
        Some(why) => Err(ApiError::MalformedBody(why.to_owned())),
        None => Ok(Json(ReportAccepted { message: "Accepted" })),
    }
}

/// Checks the proof of a call by the provider's secret, and reads its events.
type Reader = fn(&Call<'_>, &str) -> Result<Events, Refusal>;

/// The provider of a path, what reads its calls, and its secret if it is set.
fn provider_of<'a>(state: &'a AppState, provider: &str) -> Option<(ReportSource, Reader, &'a SecretString)> {
    let (source, read): (_, Reader) = match provider {
        "postmark" => (ReportSource::Postmark, postmark::read),
        "mailgun" => (ReportSource::Mailgun, mailgun::read),
        "sendgrid" => (ReportSource::SendGrid, sendgrid::read),
        "resend" => (ReportSource::Resend, resend::read),
        _ => return None,
    };
    Some((source, read, state.settings.bounces.secret_of(source)?))
}

/// Whether the proof is wrong, where it needs no body: then the body is not read.
fn is_refused_unread(source: ReportSource, call: &Call<'_>, secret: &SecretString) -> bool {
    source == ReportSource::Postmark && !postmark::is_proved(call, secret.expose_secret())
}

#[cfg(test)]
mod tests;
