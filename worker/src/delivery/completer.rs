//! Closes the rows of mails that the mail server took, several in one statement.

use std::collections::HashSet;

use bookly_shared::db::DbResult;
use bookly_shared::db::batch::BatchOperation;
use bookly_shared::db::emails::complete::SentEmail;
use bookly_shared::db::held_connection::HeldConnection;

use crate::delivery::lease::RowsInTurn;

/// Closes rows.
#[derive(Debug)]
pub(crate) struct Completer {
    pub(crate) rows: RowsInTurn,
}

impl BatchOperation for Completer {
    type Item = SentEmail;
    type Answer = ();

    async fn ask(&self, db: &mut HeldConnection, mails: &[SentEmail]) -> DbResult<Vec<()>> {
        let _turn = self.rows.lock().await;
        // Two claims of one mail, both sent by this worker: a statement changes a row once, so they are closed apart.
        let mut named = HashSet::new();
        let (firsts, copies): (Vec<_>, Vec<_>) =
            mails.iter().cloned().partition(|mail| named.insert(mail.id));
        db.complete_sent(&firsts).await?;
        for copy in &copies {
            db.complete_sent(std::slice::from_ref(copy)).await?;
        }
        Ok(vec![(); mails.len()])
    }
}
