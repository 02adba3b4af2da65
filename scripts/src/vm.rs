// SPDX-License-Identifier: GPL-2.0
//! One virtual machine: boots a kernel, runs a script or a program in it,
//! collects the kernel log and what is printed.

mod bare;
mod bochs;
pub mod disc;
mod group;
mod state;
#[cfg(test)]
mod tests;
mod virtme;

use std::collections::VecDeque;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};

use self::group::Group;
pub use self::state::State;
use self::state::{BEGIN, EXIT, Input};
use crate::context::Context;
use crate::kernel::Kernel;
use crate::program::Program;
use crate::progress::Progress;

/// The kernel takes a timer interrupt that a busy host delivers late for a broken
/// timer, and panics, unless it is told this.
const TRUST_THE_TIMER: &str = "no_timer_check";

/// Powering off, or dying of a panic, takes no longer than this.
const ENDING: Duration = Duration::from_secs(30);
const TAIL_LINES: usize = 25;

pub struct Vm {
    name: String,
    image: PathBuf,
    /// What a guest that sees the files of the host may call: where it is.
    programs: PathBuf,
    /// Takes both channels, complete.
    log: PathBuf,
    pub cpus: u32,
    pub memory_mib: u32,
    pub kernel_args: Vec<String>,
    pub qemu_args: Vec<String>,
    /// A run that prints nothing for so long has hung.
    pub quiet: Duration,
    /// A run that takes so long in all has hung.
    pub total: Duration,
    /// Its death is nothing to tell the user about.
    pub may_die: bool,
}

/// A VM run that has ended, one way or another.
pub struct Run {
    pub state: State,
    /// The kernel log.
    pub console: Vec<String>,
    /// What the guest's script printed, without the lines that frame it.
    pub output: Vec<String>,
    pub log: PathBuf,
    last: VecDeque<String>,
}

enum Line {
    Console(String),
    Output(String),
}

impl Vm {
    /// `name` says what the run is for, in the progress and as its log file.
    pub fn new(ctx: &Context, kernel: &Kernel, name: &str) -> Self {
        let words = name.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
        let words: Vec<_> = words.filter(|word| !word.is_empty()).collect();
        Self {
            name: format!("VM: {name}"),
            image: kernel.image(),
            programs: Program::Drgn.dir_of_programs(ctx),
            log: ctx.log(&format!("vm-{}", words.join("-"))),
            cpus: 2,
            memory_mib: 2048,
            kernel_args: kernel.boot_args(),
            qemu_args: Vec::new(),
            quiet: Duration::from_secs(120),
            total: Duration::from_secs(1200),
            may_die: false,
        }
    }

    /// Boots with the files of the host, runs `script` with `args` through the
    /// guest's shell, powers off.
    pub fn run(&self, vng: &Path, script: &Path, args: &[String]) -> Result<Run> {
        let file = self.log.with_extension("sh");
        self.make_log_folder()?;
        fs::write(&file, virtme::shell_script(&self.programs, script, args))
            .with_context(|| format!("cannot write {}", file.display()))?;
        self.watch_twice(|| virtme::command(self, vng, &file))
    }

    /// For `run_bare()` with an init that is init.sh: a broken timer is none, and the
    /// machine ends as `-no-reboot` expects.
    pub fn end_by_restart(&mut self) {
        let args = [TRUST_THE_TIMER, "END=reboot"];
        self.kernel_args.extend(args.map(str::to_string));
    }

    /// Boots with the files of the archive `initrd` alone; its program `init`
    /// prints what a script is framed by, and ends the machine with a restart.
    pub fn run_bare(&self, initrd: &Path, init: &str, args: &[String]) -> Result<Run> {
        self.watch_twice(|| bare::command(self, initrd, init, args))
    }

    /// Boots Bochs with the files of the archive `initrd` alone; `args` are those
    /// of its /init. What it takes for that is written into `dir`.
    pub fn run_bochs(
        &self,
        bochs: &Path,
        initrd: &Path,
        args: &[String],
        dir: &Path,
    ) -> Result<Run> {
        self.watch(bochs::command(self, bochs, initrd, args, dir)?)
    }

    /// Once more if QEMU breaks, which says nothing about the guest.
    fn watch_twice(&self, command: impl Fn() -> Command) -> Result<Run> {
        let run = self.watch(command())?;
        let Some(why) = run.emulator_fault() else {
            return Ok(run);
        };
        eprintln!("{}: the emulator broke, once more: {why}", self.name);
        self.watch(command())
    }

    fn make_log_folder(&self) -> Result<()> {
        fs::create_dir_all(self.log.parent().context("log file without a directory")?)?;
        Ok(())
    }

    fn watch(&self, mut command: Command) -> Result<Run> {
        self.make_log_folder()?;
        let mut log =
            File::create(&self.log).with_context(|| format!("cannot write {:?}", self.log))?;
        command
            .stdin(Stdio::null())
            // Pipes: into a regular file the emulator would lose output.
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = Group::spawn(&mut command)?;
        let (sender, lines) = mpsc::channel();
        forward(child.stdout()?, sender.clone(), Line::Output);
        forward(child.stderr()?, sender, Line::Console);

        let mut run = Run {
            state: State::Starting,
            console: Vec::new(),
            output: Vec::new(),
            log: self.log.clone(),
            last: VecDeque::with_capacity(TAIL_LINES),
        };
        let mut progress = Progress::new(&self.name, None);
        let started = Instant::now();
        loop {
            let (patience, late) = self.patience(&run.state, started.elapsed());
            match lines.recv_timeout(patience) {
                Ok(line) => {
                    progress.line(line.text());
                    writeln!(log, "{}{}", line.mark(), line.text())?;
                    run.take(line);
                }
                Err(RecvTimeoutError::Timeout) => {
                    run.step(&late);
                    child.kill();
                    break;
                }
                Err(RecvTimeoutError::Disconnected) => break,
            }
        }
        let status = child.end(ENDING)?;
        ensure!(
            run.state != State::Starting,
            "{}: {status} before the kernel started\n{}\ncomplete log: {}",
            command.get_program().display(),
            run.tail(),
            self.log.display()
        );
        run.step(&Input::Exit(&status.to_string()));
        match run.state {
            State::Finished { .. } => progress.done(),
            State::Died { .. } if self.may_die => progress.done(),
            _ => progress.failed(),
        }
        Ok(run)
    }

    /// How long to wait for the next line, and what it means if none comes.
    fn patience(&self, state: &State, elapsed: Duration) -> (Duration, Input<'static>) {
        let left = self.total.saturating_sub(elapsed);
        if state.is_final() {
            (ENDING, Input::Silence(ENDING))
        } else if left < self.quiet {
            (left, Input::Overtime(self.total))
        } else {
            (self.quiet, Input::Silence(self.quiet))
        }
    }
}

impl Run {
    /// The exit status of the guest's script. A run without one is explained
    /// on standard error: why, the last lines, where the rest is.
    pub fn status(&self) -> Option<u8> {
        let reason = match &self.state {
            State::Finished { status } => return Some(*status),
            State::Died { reason } | State::Hung { reason } => reason.as_str(),
            State::Starting | State::Booted | State::Running => "the run was cut off",
        };
        let log = self.log.display();
        eprintln!(
            "{}\nthe VM died: {reason}; complete log: {log}",
            self.tail()
        );
        None
    }

    /// The assertion about itself with which QEMU has ended.
    fn emulator_fault(&self) -> Option<&str> {
        let died = matches!(self.state, State::Died { .. });
        let fault = |text: &&String| {
            died && text.starts_with("qemu-system-") && text.ends_with("' failed.")
        };
        self.last.iter().rfind(fault).map(String::as_str)
    }

    /// What to say of a script that ended with `status`.
    pub fn failure(&self, status: u8) -> String {
        let log = self.log.display();
        format!(
            "the script in the VM ended with {status}\n{}\ncomplete log: {log}",
            self.tail()
        )
    }

    /// The last lines of both channels, as they came.
    fn tail(&self) -> String {
        let lines: Vec<_> = self.last.iter().map(|line| format!("  {line}")).collect();
        lines.join("\n")
    }

    fn step(&mut self, input: &Input) {
        let state = std::mem::replace(&mut self.state, State::Starting);
        self.state = state.step(input);
    }

    fn take(&mut self, line: Line) {
        if self.last.len() == TAIL_LINES {
            self.last.pop_front();
        }
        self.last.push_back(line.text().to_string());
        match line {
            Line::Console(text) => {
                self.step(&Input::Console(&text));
                self.console.push(text);
            }
            Line::Output(text) => {
                self.step(&Input::Output(&text));
                if !text.starts_with(BEGIN) && !text.starts_with(EXIT) {
                    self.output.push(text);
                }
            }
        }
    }
}

impl Line {
    fn text(&self) -> &str {
        match self {
            Self::Console(text) | Self::Output(text) => text,
        }
    }

    /// Tells the channels apart in the log file.
    fn mark(&self) -> &'static str {
        match self {
            Self::Console(_) => "",
            Self::Output(_) => "> ",
        }
    }
}

/// Sends each line of `pipe`, until it ends.
fn forward(pipe: impl Read + Send + 'static, sender: Sender<Line>, kind: fn(String) -> Line) {
    thread::spawn(move || {
        let mut pipe = BufReader::new(pipe);
        let mut bytes = Vec::new();
        while matches!(pipe.read_until(b'\n', &mut bytes), Ok(1..)) {
            let text = String::from_utf8_lossy(&bytes).trim_end().to_string();
            if sender.send(kind(text)).is_err() {
                break;
            }
            bytes.clear();
        }
    });
}
