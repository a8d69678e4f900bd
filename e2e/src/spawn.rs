//! Starts child processes that cannot outlive the tests, however these end.
//!
//! `setpriv --pdeathsig` has the kernel signal a child when the thread that started it ends. A test's thread ends
//! with the test, so one thread, which lives as long as the process, starts them all.

use std::process::{Child, Command};
use std::sync::{Mutex, OnceLock, PoisonError, mpsc};

use anyhow::Context;

type Order = (Command, mpsc::Sender<std::io::Result<Child>>);

/// A command that runs `program` and is signalled when the tests end.
pub fn mortal(signal: &str, program: impl AsRef<std::ffi::OsStr>) -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", signal, "--"]).arg(program);
    command
}

/// Starts the command on the thread that lives as long as the process.
///
/// # Errors
/// When the program cannot be started.
pub fn spawn(command: Command) -> anyhow::Result<Child> {
    static KEEPER: OnceLock<Mutex<mpsc::Sender<Order>>> = OnceLock::new();
    let keeper = KEEPER.get_or_init(|| Mutex::new(start_keeper()));
    let name = format!("starting {command:?}");
    let (answer, answered) = mpsc::channel();
    keeper.lock().unwrap_or_else(PoisonError::into_inner).send((command, answer))?;
    answered.recv()?.context(name)
}

fn start_keeper() -> mpsc::Sender<Order> {
    let (orders, ordered) = mpsc::channel::<Order>();
    std::thread::spawn(move || {
        for (mut command, answer) in ordered {
            // A test that did not wait for the answer has ended, and its child with it is nobody's.
            if let Err(mpsc::SendError(Ok(mut child))) = answer.send(command.spawn()) {
                let _ = child.kill();
            }
        }
    });
    orders
}
