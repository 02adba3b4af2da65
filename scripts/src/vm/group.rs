// SPDX-License-Identifier: GPL-2.0
//! A child and all that it starts: none of them outlives us, whether we end
//! well, fail, or are interrupted.

use std::io;
use std::os::unix::process::CommandExt;
use std::process::{Child, ChildStderr, ChildStdout, Command, ExitStatus};
use std::sync::Once;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use crate::process;

/// The group to kill when we are interrupted; 0 while there is none.
static CURRENT: AtomicU32 = AtomicU32::new(0);
static HANDLER: Once = Once::new();

pub struct Group {
    child: Child,
}

impl Group {
    pub fn spawn(command: &mut Command) -> Result<Self> {
        let mut handler = Ok(());
        HANDLER.call_once(|| handler = ctrlc::set_handler(interrupted));
        handler.context("cannot handle interrupts")?;

        let name = command.get_program().to_owned();
        let child = command
            .process_group(0)
            .spawn()
            .with_context(|| format!("cannot start {}", name.display()))?;
        CURRENT.store(child.id(), Ordering::Relaxed);
        Ok(Self { child })
    }

    pub fn stdout(&mut self) -> Result<ChildStdout> {
        self.child.stdout.take().context("no standard output")
    }

    pub fn stderr(&mut self) -> Result<ChildStderr> {
        self.child.stderr.take().context("no standard error")
    }

    /// Waits for the child to end by itself, then kills what still runs.
    pub fn end(&mut self, patience: Duration) -> io::Result<ExitStatus> {
        let deadline = Instant::now() + patience;
        while self.child.try_wait()?.is_none() && Instant::now() < deadline {
            thread::sleep(Duration::from_millis(50));
        }
        if CURRENT.swap(0, Ordering::Relaxed) != 0 {
            kill(self.child.id());
        }
        self.child.wait()
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        // Nobody is left to tell; the error has no other consequence.
        let _ = self.end(Duration::ZERO);
    }
}

fn interrupted() {
    match CURRENT.load(Ordering::Relaxed) {
        0 => {}
        group => kill(group),
    }
    std::process::exit(130);
}

fn kill(group: u32) {
    process::succeeds(Command::new("kill").args(["-KILL", "--", &format!("-{group}")]));
}
