//! DATA: the message up to the final dot, and what becomes of it.

use std::io;
use std::time::Instant;

use tokio::io::AsyncBufReadExt;

use super::{Next, Session, Turn, at};
use crate::smtp_server::fault::{Fault, Stage};
use crate::smtp_server::mail::{ReceivedMail, code_in, link_in};

impl Session {
    pub(super) async fn data(&mut self) -> io::Result<Next> {
        if self.to.is_empty() {
            self.reply("503 5.5.1 no recipients");
            return Ok(Next::Command);
        }
        at!(self, Stage::Data);
        self.reply("354 end with a dot");
        self.flush().await?;
        at!(self, Stage::Body);
        let Some(data) = self.body().await? else { return Ok(Next::Close) };
        if data.len() > self.shared.options.max_message {
            self.reset_transaction();
            self.reply("552 5.3.4 too big");
            return Ok(Next::Command);
        }
        self.final_dot(data).await
    }

    async fn final_dot(&mut self, data: Vec<u8>) -> io::Result<Next> {
        let fault = match self.take_fault(Stage::FinalDot) {
            Some(Fault::RepeatLink(code, form)) => {
                let link = link_in(&data, "/api/v1/auth/").unwrap_or_default();
                let bytes = form.reply(code, &link, &code_in(&data).unwrap_or_default());
                Some(Fault::Say { stage: Stage::FinalDot, bytes })
            }
            fault => fault,
        };
        let refused = matches!(fault, Some(Fault::Reply { .. }));
        let answered = fault.is_none();
        let number = (!refused).then(|| self.record(data, answered));
        let turn = self.run_fault(fault).await?;
        self.reset_transaction();
        match turn {
            Turn::Close => return Ok(Next::Close),
            Turn::Replied => return Ok(Next::Command),
            Turn::Continue => {}
        }
        if let Some(number) = number
            && !answered
            && self.instead.is_none()
        {
            self.shared.state.mark_answered(number);
        }
        self.reply("250 2.0.0 queued");
        Ok(Next::Command)
    }

    fn record(&mut self, data: Vec<u8>, answered: bool) -> usize {
        let mail = ReceivedMail {
            from: self.from.clone().unwrap_or_default(),
            to: self.to.clone(),
            data,
            at: Instant::now(),
            tls: self.tls,
            auth_user: self.user.clone(),
            answered,
        };
        self.shared.state.record(mail, self.shared.options.keep)
    }

    /// The message up to the final dot, without doubled dots. `None`: the client left before it.
    async fn body(&mut self) -> io::Result<Option<Vec<u8>>> {
        let (mut data, mut line, mut after_crlf) = (Vec::new(), Vec::new(), true);
        loop {
            line.clear();
            if self.io.read_until(b'\n', &mut line).await? == 0 {
                return Ok(None);
            }
            if after_crlf && line == b".\r\n" {
                return Ok(Some(data));
            }
            let text = line.strip_prefix(b".").filter(|_| after_crlf).unwrap_or(&line);
            after_crlf = line.ends_with(b"\r\n");
            // One byte more than the limit is enough to see that the message is too big.
            if data.len() <= self.shared.options.max_message {
                data.extend_from_slice(text);
            }
        }
    }
}
