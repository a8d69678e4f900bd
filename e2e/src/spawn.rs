//! Starts child processes that end with the tests, also when these are killed.
//!
//! With `setpriv --pdeathsig` the kernel signals a child when the thread that started it ends. The thread of a test ends
//! with the test, so another thread, which runs until the process ends, starts all children.

use std::process::{Child, Command};
use std::sync::{OnceLock, mpsc};

use anyhow::Context;
use parking_lot::Mutex;

type Order = (Command, mpsc::Sender<std::io::Result<Child>>);

/// A command that runs `program` and is signalled when the tests end.
pub fn mortal(signal: &str, program: impl AsRef<std::ffi::OsStr>) -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", signal, "--"]).arg(program);
    command
}

/// Starts the command on the thread that runs until the process ends.
pub fn spawn(command: Command) -> anyhow::Result<Child> {
    static KEEPER: OnceLock<Mutex<mpsc::Sender<Order>>> = OnceLock::new();
    let keeper = KEEPER.get_or_init(|| Mutex::new(start_keeper()));
    let name = format!("starting {command:?}");
    let (answer, answered) = mpsc::channel();
    keeper.lock().send((command, answer))?;
    answered.recv()?.context(name)
}

fn start_keeper() -> mpsc::Sender<Order> {
    let (orders, ordered) = mpsc::channel::<Order>();
    std::thread::spawn(move || {
        for (mut command, answer) in ordered {
            // The test ended without waiting for the child.
            if let Err(mpsc::SendError(Ok(mut child))) = answer.send(command.spawn()) {
                let _ = child.kill();
            }
        }
    });
    orders
}
