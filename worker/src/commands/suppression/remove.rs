//! `suppression remove`.

use anyhow::bail;
use bookly_shared::audit;
use bookly_shared::clock::Clock;
use bookly_shared::db::Db;
use bookly_shared::domain::{EmailAddress, SuppressionReason, printable};
use clap::Args;
use serde::Serialize;

use crate::commands::one_of::one_of;
use crate::commands::screen::{print_json, print_line};

/// Which mailbox gets emails again.
#[derive(Debug, Args)]
pub struct Remove {
    /// The address, in any spelling; what follows a + belongs to it
    address: EmailAddress,
    /// Only the entry with this reason
    #[arg(long, value_parser = one_of(&SuppressionReason::ALL, SuppressionReason::as_str))]
    reason: Option<SuppressionReason>,
    /// Answer with one JSON document
    #[arg(long)]
    json: bool,
}

pub(super) const HELP: &str = "\
Without --reason the entries \"bounce\" and \"operator\" of the mailbox are removed. That the recipient complained or \
unsubscribed is the recipient's own wish, and is removed only by its reason.

JSON: {\"removed\": number of entries, \"reasons\": [of these], \"left\": [reasons of the entries that are left]}

Examples:
  bookly-worker suppression remove ada@example.org
  bookly-worker suppression remove ada@example.org --reason unsubscribe";

#[derive(Serialize)]
struct RemoveDocument {
    removed: usize,
    reasons: Vec<String>,
    left: Vec<String>,
}

impl Remove {
    pub(super) async fn run(self, db: &Db) -> anyhow::Result<()> {
        let mailbox = self.address.canonical();
        let now = Clock::synchronised(db).await?.now();
        let mut reasons = db.unsuppress(&self.address, self.reason).await?;
        reasons.sort_unstable();
        for reason in &reasons {
            audit::suppression(mailbox, reason, "suppression_removed");
        }
        let mut left = db.suppression_reasons(mailbox, now).await?;
        left.sort_unstable();
        if reasons.is_empty() {
            bail!("{}", nothing_removed(mailbox, self.reason, &left));
        }
        if self.json {
            return Ok(print_json(&RemoveDocument { removed: reasons.len(), reasons, left })?);
        }
        print_line(format_args!("suppressions of {} removed: {}", printable(mailbox), reasons.join(", ")))?;
        for reason in &left {
            print_line(left_line(reason))?;
        }
        Ok(())
    }
}

fn nothing_removed(mailbox: &str, reason: Option<SuppressionReason>, left: &[String]) -> String {
    let with = reason.map(|reason| format!(" with the reason {reason}")).unwrap_or_default();
    let without = if reason.is_none() && !left.is_empty() { " but the recipient's own wish" } else { "" };
    let left: String = left.iter().map(|reason| format!("\n{}", left_line(reason))).collect();
    format!("there is no suppression of {mailbox}{with}{without}{left}")
}

/// An entry that is left, and how to remove it.
fn left_line(reason: &str) -> String {
    let reason = printable(reason);
    let is_own_wish = reason.parse::<SuppressionReason>().is_ok_and(SuppressionReason::is_own_wish);
    let whose = if is_own_wish { ", the recipient's own wish" } else { "" };
    format!("left: {reason}{whose} (--reason {reason} removes it)")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_is_named_with_the_way_to_remove_it() {
        assert_eq!(
            left_line("unsubscribe"),
            "left: unsubscribe, the recipient's own wish (--reason unsubscribe removes it)"
        );
        assert_eq!(left_line("bounce"), "left: bounce (--reason bounce removes it)");
        let (of, complaint) = ("a@b.test", ["complaint".to_owned()]);
        assert_eq!(nothing_removed(of, None, &[]), "there is no suppression of a@b.test");
        assert_eq!(
            nothing_removed(of, None, &complaint),
            "there is no suppression of a@b.test but the recipient's own wish\n\
             left: complaint, the recipient's own wish (--reason complaint removes it)"
        );
        assert_eq!(
            nothing_removed(of, Some(SuppressionReason::Bounce), &complaint),
            "there is no suppression of a@b.test with the reason bounce\n\
             left: complaint, the recipient's own wish (--reason complaint removes it)"
        );
    }
}
