//! What the faults that are switched on do at a stage.

use std::io;

use tokio::io::AsyncBufReadExt;
use tokio::time::sleep;

use super::{Session, Turn};
use crate::smtp_server::fault::{Fault, Stage};

impl Session {
    /// Runs the fault of a stage, if there is one.
    pub(super) async fn reach(&mut self, stage: Stage) -> io::Result<Turn> {
        let fault = self.take_fault(stage);
        self.run_fault(fault).await
    }

    pub(super) fn take_fault(&self, stage: Stage) -> Option<Fault> {
        self.shared.state.reach(stage);
        self.shared.state.faults.take(stage, &self.to)
    }

    pub(super) async fn run_fault(&mut self, fault: Option<Fault>) -> io::Result<Turn> {
        match fault {
            Some(Fault::RefuseGreeting(code, text)) => {
                self.reply(&format!("{code} {text}"));
                return Ok(Turn::Close);
            }
            Some(Fault::Reply { code, text, .. }) => {
                self.reply(&format!("{code} {text}"));
                return Ok(if code == 421 { Turn::Close } else { Turn::Replied });
            }
            Some(Fault::CloseAt(_)) => return Ok(Turn::Close),
            Some(Fault::HangAt(_)) => return self.hang().await,
            Some(Fault::SlowGreeting(time) | Fault::DelayAt(_, time)) => {
                self.flush().await?;
                sleep(time).await;
            }
            Some(Fault::Say { bytes, .. }) => self.instead = Some(bytes),
            // Read elsewhere.
            Some(
                Fault::RepeatLink(..)
                | Fault::NoStartTls
                | Fault::ExpiredCertificate
                | Fault::WrongHostCertificate,
            )
            | None => {}
        }
        Ok(Turn::Continue)
    }

    /// Waits without a reply until the faults are cleared or the client leaves.
    async fn hang(&mut self) -> io::Result<Turn> {
        self.flush().await?;
        let mut cleared = self.shared.state.faults.clearing();
        tokio::select! {
            _ = cleared.changed() => return Ok(Turn::Continue),
            more = self.io.fill_buf() => if more?.is_empty() { return Ok(Turn::Close) },
        }
        // The client sent more. Reading again would return at once.
        drop(cleared.changed().await);
        Ok(Turn::Continue)
    }
}
