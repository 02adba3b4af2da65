// SPDX-License-Identifier: GPL-2.0
//! Long child processes: one line of progress on a terminal, plain lines
//! elsewhere, and the complete output in a log file.

use std::collections::VecDeque;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, IsTerminal, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use indicatif::{ProgressBar, ProgressStyle};

const TAIL_LINES: usize = 20;
const PLAIN_INTERVAL: Duration = Duration::from_secs(30);

/// One step, as the user sees it.
pub struct Progress {
    title: String,
    bar: ProgressBar,
    started: Instant,
    reported: Instant,
    lines: u64,
}

impl Progress {
    /// `expected` is the number of lines the step will print, where it is known.
    pub fn new(title: &str, expected: Option<u64>) -> Self {
        let terminal = io::stderr().is_terminal();
        let bar = match (terminal, expected) {
            (false, _) => ProgressBar::hidden(),
            (true, Some(total)) => ProgressBar::new(total).with_style(style(
                "{spinner} {prefix} [{bar:20}] {pos}/{len} {elapsed} {wide_msg}",
            )),
            (true, None) => ProgressBar::new_spinner()
                .with_style(style("{spinner} {prefix} {pos} {elapsed} {wide_msg}")),
        };
        bar.set_prefix(title.to_string());
        if terminal {
            bar.enable_steady_tick(Duration::from_millis(200));
        } else {
            eprintln!("{title} ...");
        }
        let now = Instant::now();
        Self {
            title: title.to_string(),
            bar,
            started: now,
            reported: now,
            lines: 0,
        }
    }

    /// Counts `line` and shows it.
    pub fn line(&mut self, line: &str) {
        self.lines += 1;
        if !self.bar.is_hidden() {
            self.bar.set_position(self.lines);
            self.bar.set_message(line.trim().to_string());
        } else if self.reported.elapsed() >= PLAIN_INTERVAL {
            self.reported = Instant::now();
            let elapsed = self.started.elapsed().as_secs();
            eprintln!(
                "{} ... {elapsed} s, {} lines, {}",
                self.title,
                self.lines,
                line.trim()
            );
        }
    }

    pub fn done(self) {
        self.end("done");
    }

    pub fn failed(self) {
        self.end("FAILED");
    }

    fn end(self, how: &str) {
        self.bar.finish_and_clear();
        eprintln!(
            "{}: {how} ({} s)",
            self.title,
            self.started.elapsed().as_secs()
        );
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).expect("template is a constant")
}

/// Runs `command` to its end, showing progress under `title`; `log` takes all
/// that it prints. A failure is an error with the last lines of the output.
pub fn run(title: &str, log: &Path, expected: Option<u64>, command: &mut Command) -> Result<()> {
    fs::create_dir_all(log.parent().context("log file without a directory")?)?;
    let mut file = File::create(log).with_context(|| format!("cannot write {log:?}"))?;

    let (reader, writer) = io::pipe()?;
    command
        .stdin(Stdio::null())
        .stdout(writer.try_clone()?)
        .stderr(writer);
    let mut child = command
        .spawn()
        .with_context(|| format!("cannot start {}", command.get_program().display()))?;
    // The command holds our copies of the writing end; without this the pipe never ends.
    command.stdout(Stdio::null()).stderr(Stdio::null());

    let mut progress = Progress::new(title, expected);
    let mut tail = VecDeque::with_capacity(TAIL_LINES);
    let mut reader = BufReader::new(reader);
    let mut bytes = Vec::new();
    while reader.read_until(b'\n', &mut bytes)? > 0 {
        file.write_all(&bytes)?;
        let line = String::from_utf8_lossy(&bytes).trim_end().to_string();
        progress.line(&line);
        if tail.len() == TAIL_LINES {
            tail.pop_front();
        }
        tail.push_back(line);
        bytes.clear();
    }

    let status = child.wait()?;
    if status.success() {
        progress.done();
        return Ok(());
    }
    progress.failed();
    for line in &tail {
        eprintln!("  {line}");
    }
    bail!(
        "{title} failed ({status}); complete output: {}",
        log.display()
    )
}
