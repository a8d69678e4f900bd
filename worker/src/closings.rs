//! Closes the rows of mails that the mail server took, several in one statement.

use std::collections::HashSet;

use bookly_shared::db::DbResult;
use bookly_shared::db::endings::SentMail;
use bookly_shared::db::group::Grouped;
use bookly_shared::db::kept::Kept;

use crate::lease::RowsInTurn;

/// Closes rows.
#[derive(Debug)]
pub(crate) struct Closings {
    pub(crate) rows: RowsInTurn,
}

impl Grouped for Closings {
    type Question = SentMail;
    type Answer = ();

    async fn ask(&self, db: &mut Kept, mails: &[SentMail]) -> DbResult<Vec<()>> {
        let _turn = self.rows.lock().await;
        // Two claims of one mail, both sent by this worker: a statement changes a row once, so they are closed apart.
        let mut named = HashSet::new();
        let (firsts, copies): (Vec<_>, Vec<_>) =
            mails.iter().cloned().partition(|mail| named.insert(mail.id));
        db.close_sent(&firsts).await?;
        for copy in &copies {
            db.close_sent(std::slice::from_ref(copy)).await?;
        }
        Ok(vec![(); mails.len()])
    }
}
