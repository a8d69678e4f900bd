//! Lists of tags and values, as in records of DKIM and DMARC (RFC 6376, section 3.2).

/// The tags of a record, in their order.
pub(super) struct Tags<'a>(Vec<(&'a str, &'a str)>);

impl<'a> Tags<'a> {
    /// `None` where a part is not `tag=value`, or a tag stands twice.
    pub(super) fn parse(text: &'a str) -> Option<Tags<'a>> {
        let mut tags: Vec<(&str, &str)> = Vec::new();
        let parts = text.trim().strip_suffix(';').unwrap_or(text.trim());
        for part in parts.split(';') {
            let (tag, value) = part.split_once('=')?;
            let (tag, value) = (tag.trim(), value.trim());
            if tag.is_empty() || tags.iter().any(|(known, _)| *known == tag) {
                return None;
            }
            tags.push((tag, value));
        }
        Some(Tags(tags))
    }

    pub(super) fn get(&self, tag: &str) -> Option<&'a str> {
        self.0.iter().find(|(known, _)| *known == tag).map(|(_, value)| *value)
    }

    /// Whether the first tag is `v` with this value.
    pub(super) fn is_version(&self, version: &str) -> bool {
        self.0.first() == Some(&("v", version))
    }
}
