//! The colour of a product, and the colours that pages and mails make of it.

use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};
use thiserror::Error;

/// The smallest contrast of text to its background (WCAG 2.2, success criterion 1.4.3).
const CONTRAST_OF_TEXT: f64 = 4.5;
/// The contrast of links to the dark background. Above the smallest one, because thin letters look paler there.
const CONTRAST_ON_DARK: f64 = 7.0;
/// The darkest of the light backgrounds behind links (`--code` of the pages).
const LIGHT_BACKGROUND: Color = Color([0xf0, 0xee, 0xe7]);
/// The lightest of the dark backgrounds behind links (`--card` of pages and mails).
const DARK_BACKGROUND: Color = Color([0x1e, 0x23, 0x27]);
const WHITE: Color = Color([0xff; 3]);
const BLACK: Color = Color([0; 3]);

/// An opaque colour of sRGB, shown as `#rrggbb`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Color([u8; 3]);

/// A colour on which white text can be read: buttons have it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BrandColor(Color);

/// The text is not the colour of a product.
#[derive(Clone, Copy, Debug, PartialEq, Error)]
pub enum BrandColorError {
    /// Not `#` and six hexadecimal digits.
    #[error("a colour such as #1c6b58 is needed")]
    Syntax,
    /// White text on it could not be read.
    #[error(
        "a darker colour is needed: its contrast to white is {0:.2}:1, and buttons with white text need 4.5:1"
    )]
    TooLight(f64),
}

/// The colours of pages and mails, all made from one. Templates have them as `colors`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Palette {
    /// Buttons with white text.
    pub brand: Color,
    /// A button under the pointer.
    pub brand_strong: Color,
    /// Links and icons on light backgrounds.
    pub accent: Color,
    /// Links, icons and buttons on dark backgrounds.
    pub dark_accent: Color,
    /// The same under the pointer.
    pub dark_accent_strong: Color,
    /// Text on a button that has the colour `dark_accent`.
    pub on_dark_accent: Color,
}

impl Default for BrandColor {
    /// `#1c6b58`.
    fn default() -> BrandColor {
        BrandColor(Color([0x1c, 0x6b, 0x58]))
    }
}

impl FromStr for BrandColor {
    type Err = BrandColorError;

    fn from_str(text: &str) -> Result<BrandColor, BrandColorError> {
        let digits = text.strip_prefix('#').filter(|digits| digits.len() == 6);
        let digits = digits.filter(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()));
        let number = digits.and_then(|digits| u32::from_str_radix(digits, 16).ok());
        let [_, red, green, blue] = number.ok_or(BrandColorError::Syntax)?.to_be_bytes();
        let color = Color([red, green, blue]);
        match contrast(color, WHITE) {
            enough if enough >= CONTRAST_OF_TEXT => Ok(BrandColor(color)),
            less => Err(BrandColorError::TooLight(less)),
        }
    }
}

impl BrandColor {
    /// The colours made from this one.
    #[must_use]
    pub fn palette(self) -> Palette {
        let BrandColor(brand) = self;
        if self == BrandColor::default() {
            return Palette {
                brand,
                brand_strong: Color([0x12, 0x4e, 0x40]),
                accent: brand,
                dark_accent: Color([0x7f, 0xd1, 0xb9]),
                dark_accent_strong: Color([0xa5, 0xe2, 0xcf]),
                on_dark_accent: Color([0x0b, 0x2a, 0x22]),
            };
        }
        let accent = brand.mixed_until(BLACK, LIGHT_BACKGROUND, CONTRAST_OF_TEXT);
        let dark_accent = brand.mixed_until(WHITE, DARK_BACKGROUND, CONTRAST_ON_DARK);
        Palette {
            brand,
            brand_strong: brand.mixed(BLACK, 27),
            accent,
            dark_accent,
            dark_accent_strong: dark_accent.mixed(WHITE, 35),
            on_dark_accent: brand.mixed(BLACK, 65),
        }
    }
}

impl Color {
    /// With this many percent of another colour.
    fn mixed(self, other: Color, percent: u16) -> Color {
        let mix = |own: u8, other: u8| {
            let sum = u16::from(own) * (100 - percent) + u16::from(other) * percent;
            // At most 255 * 100.
            u8::try_from(sum / 100).unwrap_or(u8::MAX)
        };
        Color(std::array::from_fn(|index| mix(self.0[index], other.0[index])))
    }

    /// With as little of another colour as gives this contrast to the background.
    fn mixed_until(self, other: Color, background: Color, wanted: f64) -> Color {
        let mixtures = (0..=100).map(|percent| self.mixed(other, percent));
        mixtures.into_iter().find(|mixed| contrast(*mixed, background) >= wanted).unwrap_or(other)
    }

    /// The relative luminance, 0 to 1 (WCAG 2.2).
    fn luminance(self) -> f64 {
        let linear = |byte: u8| {
            let part = f64::from(byte) / 255.0;
            if part <= 0.04045 { part / 12.92 } else { ((part + 0.055) / 1.055).powf(2.4) }
        };
        let [red, green, blue] = self.0;
        0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue)
    }
}

/// The contrast of two colours, 1 to 21 (WCAG 2.2).
fn contrast(one: Color, other: Color) -> f64 {
    let (one, other) = (one.luminance(), other.luminance());
    (one.max(other) + 0.05) / (one.min(other) + 0.05)
}

impl fmt::Display for Color {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [red, green, blue] = self.0;
        write!(f, "#{red:02x}{green:02x}{blue:02x}")
    }
}

impl Serialize for Color {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_contrast_is_that_of_the_guidelines() {
        assert!((contrast(BLACK, WHITE) - 21.0).abs() < 0.001);
        // The lightest grey that passes on white.
        assert_eq!("#767676".parse::<BrandColor>().map(|_| ()), Ok(()));
        assert!(matches!("#777777".parse::<BrandColor>(), Err(BrandColorError::TooLight(_))));
    }

    #[test]
    fn only_a_hash_and_six_digits_are_a_colour() {
        for text in ["", "1c6b58", "#1c6b5", "#1c6b588", "#1c6b5g", "#+c6b58", "teal", "#fff", "#1c6b5é"] {
            assert_eq!(text.parse::<BrandColor>(), Err(BrandColorError::Syntax), "{text}");
        }
        assert_eq!("#1C6B58".parse(), Ok(BrandColor::default()));
    }

    #[test]
    fn a_light_colour_is_refused_with_its_contrast() {
        let error = "#ffd400".parse::<BrandColor>().unwrap_err().to_string();
        assert!(error.contains("contrast to white is 1.43:1"), "{error}");
    }

    /// What every text is seen on.
    fn all_can_be_read(palette: &Palette) {
        let pairs = [
            (palette.brand, WHITE),
            (palette.brand_strong, WHITE),
            (palette.accent, LIGHT_BACKGROUND),
            (palette.dark_accent, DARK_BACKGROUND),
            (palette.dark_accent_strong, DARK_BACKGROUND),
            (palette.on_dark_accent, palette.dark_accent),
            (palette.on_dark_accent, palette.dark_accent_strong),
        ];
        for (text, background) in pairs {
            let found = contrast(text, background);
            assert!(found >= CONTRAST_OF_TEXT, "{text} on {background}: {found} in {palette:?}");
        }
    }

    #[test]
    fn the_built_in_colours_can_be_read() {
        all_can_be_read(&BrandColor::default().palette());
    }

    proptest! {
        #[test]
        fn the_colours_made_of_any_accepted_one_can_be_read(bytes in any::<[u8; 3]>()) {
            if let Ok(brand) = Color(bytes).to_string().parse::<BrandColor>() {
                all_can_be_read(&brand.palette());
            }
        }
    }
}
