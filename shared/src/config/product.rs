//! The product that the service belongs to: its name, its look, and the address for questions.

use url::Url;

use super::source::Source;
use super::{links, table, values};
use crate::domain::{BrandColor, EmailAddress, Palette, has_control_characters, is_visible};

/// The longest `APP_NAME`, in characters.
const LONGEST_NAME: usize = 64;

/// The product as pages, mails and the API's documentation show it.
#[derive(Debug, Clone)]
pub struct ProductSettings {
    /// Its name.
    pub name: String,
    /// Its colours.
    pub colors: Palette,
    /// Its logo; without one its name is shown as text.
    pub logo: Option<Logo>,
    /// Where its name leads; `DOMAIN` without it.
    pub home_url: Option<String>,
    /// Where people get an answer: in the `Reply-To` of mails, and in the footer of mails and pages.
    pub support_email: Option<EmailAddress>,
    /// Whether the sample resource, books, is served.
    pub sample_books: bool,
}

/// A picture on another server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Logo {
    /// An `https` URL.
    pub url: String,
    /// Its origin, which the policy of pages allows.
    pub origin: String,
}

impl Logo {
    /// By its name, because the picture is not fetched.
    fn is_svg(&self) -> bool {
        let path = self.url.split(['?', '#']).next().unwrap_or_default().to_ascii_lowercase();
        path.ends_with(".svg") || path.ends_with(".svgz")
    }
}

impl ProductSettings {
    /// A product with this name and the built-in look.
    pub fn named(name: impl Into<String>) -> ProductSettings {
        ProductSettings {
            name: name.into(),
            colors: BrandColor::default().palette(),
            logo: None,
            home_url: None,
            support_email: None,
            sample_books: true,
        }
    }

    /// The mark of a product: the first letter or digit of its name, in upper case.
    pub fn initial(&self) -> String {
        self.name
            .chars()
            .find(|c| c.is_alphanumeric())
            .map_or_else(|| "•".into(), |c| c.to_uppercase().collect())
    }
}

/// `APP_NAME`; `None` when it is not set, or wrong (reported).
pub(super) fn name(source: &mut Source) -> Option<String> {
    source.optional(&table::APP_NAME, parse_name)
}

/// The product, with a name that was read before.
pub(super) fn read(source: &mut Source, name: Option<String>) -> Option<ProductSettings> {
    let color = source
        .optional(&table::BRAND_COLOR, |text| text.parse::<BrandColor>().map_err(|error| error.to_string()));
    let logo = source.optional(&table::LOGO_URL, parse_logo);
    let home_url = source.optional(&table::HOME_URL, links::plain_url);
    let support_email = source.optional(&table::SUPPORT_EMAIL, |text| {
        EmailAddress::parse(text)
            .map_err(|error| format!("an address such as help@example.org is needed: it {error}"))
    });
    if logo.as_ref().is_some_and(Logo::is_svg) {
        source.warn("LOGO_URL is an SVG picture, which most mail programs do not show: use a PNG or JPEG");
    }
    let sample_books = source.optional(&table::SAMPLE_BOOKS, values::boolean);
    Some(ProductSettings {
        name: name?,
        colors: color?.palette(),
        logo,
        home_url,
        support_email,
        sample_books: sample_books?,
    })
}

fn parse_name(text: &str) -> Result<String, String> {
    if text.chars().count() > LONGEST_NAME || has_control_characters(text) || !is_visible(text) {
        return Err(format!(
            "a name of 1 to {LONGEST_NAME} characters that can be seen, without line breaks and control characters, is needed"
        ));
    }
    Ok(text.to_owned())
}

/// A browser loads no picture by plain http into a page that came by https.
fn parse_logo(text: &str) -> Result<Logo, String> {
    let is_public = |url: &Url| {
        let has_login = !url.username().is_empty() || url.password().is_some();
        url.scheme() == "https" && values::has_plain_host(url) && !has_login
    };
    let url = Url::parse(text).ok().filter(is_public);
    let url = url.ok_or("the https:// URL of a picture is needed, without user and password")?;
    Ok(Logo { origin: url.origin().ascii_serialization(), url: url.into() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mark_is_the_first_letter_of_the_name() {
        for (name, mark) in
            [("Bookly", "B"), ("acme", "A"), ("«été»", "É"), ("7 Sins", "7"), ("李", "李"), ("!", "•")]
        {
            assert_eq!(ProductSettings::named(name).initial(), mark, "{name}");
        }
    }

    #[test]
    fn a_logo_is_an_https_url() {
        let logo = parse_logo("https://CDN.example.org:8443/a b/logo.png?v=2").unwrap();
        assert_eq!(logo.url, "https://cdn.example.org:8443/a%20b/logo.png?v=2");
        assert_eq!(logo.origin, "https://cdn.example.org:8443");
        assert!(!logo.is_svg() && parse_logo("https://cdn.example.org/logo.SVG?v=2").unwrap().is_svg());
        for host in ["a-b_c.example", "192.0.2.7", "[2001:db8::7]", "bücher.example"] {
            assert!(parse_logo(&format!("https://{host}/logo.png")).is_ok(), "{host}");
        }
        for wrong in [
            "http://example.org/logo.png",
            "logo.png",
            "data:image/png;base64,x",
            "https://a:b@c.example/x",
            "https://a;b.example/x",
            "https://a,b.example/x",
            "https://*.example/x",
            "https://a b.example/x",
            "https://a'b.example/x",
        ] {
            assert!(parse_logo(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_name_has_64_characters_at_most_and_no_controls() {
        assert!(parse_name(&"é".repeat(64)).is_ok());
        for wrong in [
            "é".repeat(65),
            "a\nb".into(),
            "a\u{202e}b".into(),
            "a\u{2028}b".into(),
            "\u{200b}".into(),
            "\u{2060} \u{feff}".into(),
        ] {
            assert!(parse_name(&wrong).is_err(), "{wrong:?}");
        }
    }
}
