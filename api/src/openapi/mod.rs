//! The OpenAPI document, which is made from the handlers, and the pages that show it.

pub(crate) mod errors;
pub(crate) mod schemas;
mod ui;

use bookly_shared::config::ProductSettings;
use utoipa::openapi::OpenApi as Document;
use utoipa::openapi::info::{Contact, Info};
use utoipa::openapi::path::Operation;
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityScheme};
use utoipa::{Modify, OpenApi};
use utoipa_axum::router::OpenApiRouter;

use crate::error::body::ErrorBody;
use crate::state::AppState;

pub(crate) use errors::errors;
pub(crate) use ui::{UI_PATH, router as ui};

#[derive(OpenApi)]
#[openapi(
    tags(
        (name = "Account", description = "Sign up, and see or change the account"),
        (name = "Session", description = "Log in, stay logged in, log out"),
        (name = "Links", description = "The endpoints of links in emails, and requests for a new link"),
        (name = "Books", description = "For verified accounts"),
        (name = "Administration", description = "For administrators"),
        (name = "Reports", description = "For mail providers"),
        (name = "Health", description = "For programs that start and stop the service"),
    ),
    components(schemas(ErrorBody)),
    modifiers(&BearerTokens)
)]
struct General;

struct BearerTokens;

impl Modify for BearerTokens {
    fn modify(&self, document: &mut Document) {
        let bearer = |description: &str| {
            let mut http = Http::new(HttpAuthScheme::Bearer);
            http.bearer_format = Some("JWT".into());
            http.description = Some(description.into());
            SecurityScheme::Http(http)
        };
        let components = document.components.get_or_insert_default();
        components
            .add_security_scheme("access_token", bearer("The `access_token` of a login; lives an hour"));
        components
            .add_security_scheme("refresh_token", bearer("The `refresh_token` of a login; lives two days"));
        let mut provider = Http::new(HttpAuthScheme::Basic);
        provider.description =
            Some("For Postmark. Mailgun, SendGrid and Resend sign their calls as they document it".into());
        components.add_security_scheme("provider", SecurityScheme::Http(provider));
    }
}

const PURPOSE: &str = "Accounts with email: sign up, verify the address by a link or a code, log in, reset a forgotten password, \
    change the password or the address.";
const FORMATS: &str = "Bodies are JSON of at most 64 KiB, times are RFC 3339 in UTC, ids are UUIDs. All errors have the \
    same body; `error_code` names the error. Endpoints of links in emails answer browsers (`Accept` prefers `text/html`) \
    with pages.";

/// A router without routes, with the document's general parts.
pub(crate) fn router(product: &ProductSettings) -> OpenApiRouter<AppState> {
    let mut document = General::openapi();
    let books = if product.sample_books { " And books, which only verified accounts may see." } else { "" };
    document.info = Info::builder()
        .title(product.name.clone())
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(format!("{PURPOSE}{books}\n\n{FORMATS}")))
        .contact(
            product
                .support_email
                .as_ref()
                .map(|address| Contact::builder().email(Some(address.as_str())).build()),
        )
        .build();
    if !product.sample_books
        && let Some(tags) = &mut document.tags
    {
        tags.retain(|tag| tag.name != "Books");
    }
    OpenApiRouter::with_openapi(document)
}

/// One handler may serve two methods. Generated clients need a name for each.
pub(crate) fn name_each_operation(document: &mut Document) {
    for item in document.paths.paths.values_mut() {
        let id = |operation: &Option<Operation>| operation.as_ref().and_then(|one| one.operation_id.clone());
        if id(&item.get) == id(&item.post)
            && let Some(get) = &mut item.get
        {
            get.operation_id = get.operation_id.take().map(|id| id + "_by_get");
        }
    }
}

#[cfg(test)]
mod tests;
