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

    /// Kills the child and all that it started. Only before `end()`: after it
    /// the number of the group may be another's.
    pub fn kill(&mut self) {
        kill(self.child.id());
    }

    /// Waits for the child to end, kills it if that takes too long.
    pub fn end(&mut self, patience: Duration) -> io::Result<ExitStatus> {
        let deadline = Instant::now() + patience;
        loop {
            if let Some(status) = self.child.try_wait()? {
                return Ok(status);
            }
            if Instant::now() >= deadline {
                self.kill();
                return self.child.wait();
            }
            thread::sleep(Duration::from_millis(50));
        }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        CURRENT.store(0, Ordering::Relaxed);
        if let Ok(None) = self.child.try_wait() {
            self.kill();
            // Nobody is left to tell; the error has no other consequence.
            let _ = self.child.wait();
        }
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
