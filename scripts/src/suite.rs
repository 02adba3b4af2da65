// SPDX-License-Identifier: GPL-2.0
//! The selftests, built and installed the kselftest way.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};

use crate::context::Context;
use crate::kernel::Kernel;
use crate::process;
use crate::progress;

const NAME: &str = "dynamic_stack";
/// kselftest's own, for a folder whose settings say nothing.
const DEFAULT_TIMEOUT_S: u64 = 45;

pub struct Suite {
    /// Where the programs are installed.
    pub dir: PathBuf,
    pub tests: Vec<String>,
    /// Tests that the kernel may not survive, each for a VM of its own.
    pub fatal: Vec<Fatal>,
    /// What one test may take.
    pub timeout: Duration,
}

pub struct Fatal {
    /// The command line of the test.
    pub test: String,
    /// Extended regular expressions, each of which must match a line of the kernel log.
    pub expected: Vec<String>,
}

impl Suite {
    pub fn build(ctx: &Context, kernel: &Kernel) -> Result<Self> {
        let dir = ctx.cache.join("selftests/installed");
        let output = ctx.cache.join("selftests/built");
        fs::create_dir_all(&output)?;
        let make = || {
            let mut make = Command::new("make");
            make.env_remove("MAKEFLAGS")
                .args(["-s", "--no-print-directory", "-C"])
                .arg(ctx.root.join("selftests").join(NAME))
                .arg(format!("KSRC={}", source_of(&kernel.build).display()))
                .arg(format!("OUTPUT={}", output.display()));
            make
        };
        progress::run(
            "build the selftests",
            &ctx.log("selftests"),
            None,
            make()
                .arg("install")
                .arg(format!("INSTALL_PATH={}", dir.display())),
        )?;
        let list = process::read(make().arg("emit_tests").arg(format!("COLLECTION={NAME}")))?;
        let tests = list.lines().filter_map(|line| line.split_once(':'));
        Ok(Self {
            tests: tests.map(|(_, test)| test.to_string()).collect(),
            fatal: read_fatal(&dir.join("tests_fatal"))?,
            timeout: read_timeout(&dir.join("settings"))?,
            dir,
        })
    }

    /// Leaves the tests that the user asked for; all if that is none.
    pub fn select(&mut self, asked: &[String]) -> Result<()> {
        if asked.is_empty() {
            return Ok(());
        }
        for name in asked {
            ensure!(
                self.names().any(|known| known == name),
                "no test {name:?}, expected some of: {}",
                self.names().collect::<Vec<_>>().join(" ")
            );
        }
        self.tests.retain(|test| asked.contains(test));
        self.fatal
            .retain(|fatal| asked.iter().any(|name| name == fatal.name()));
        Ok(())
    }

    fn names(&self) -> impl Iterator<Item = &str> {
        let fatal = self.fatal.iter().map(Fatal::name);
        self.tests.iter().map(String::as_str).chain(fatal)
    }
}

impl Fatal {
    /// The argument that tells it from the others of the same program.
    fn name(&self) -> &str {
        self.test.rsplit(' ').next().unwrap_or(&self.test)
    }
}

/// kbuild links the source where it is not the build directory itself.
pub fn source_of(build: &Path) -> PathBuf {
    let link = build.join("source");
    if link.exists() {
        link
    } else {
        build.to_path_buf()
    }
}

fn read_fatal(path: &Path) -> Result<Vec<Fatal>> {
    let text = read(path)?;
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let mut tests: Vec<Fatal> = Vec::new();
    for (name, expected) in lines.filter_map(|line| line.split_once(' ')) {
        let test = format!("overflow.sh {name}");
        let expected = expected.to_string();
        match tests.iter_mut().find(|there| there.test == test) {
            Some(there) => there.expected.push(expected),
            None => tests.push(Fatal {
                test,
                expected: vec![expected],
            }),
        }
    }
    Ok(tests)
}

fn read_timeout(settings: &Path) -> Result<Duration> {
    let text = read(settings)?;
    let value = text.lines().find_map(|line| line.strip_prefix("timeout="));
    let seconds = value.map_or(Ok(DEFAULT_TIMEOUT_S), |value| value.trim().parse());
    let seconds = seconds.with_context(|| format!("timeout= in {}", settings.display()))?;
    Ok(Duration::from_secs(seconds))
}

fn read(path: &Path) -> Result<String> {
    fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))
}
