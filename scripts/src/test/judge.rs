// SPDX-License-Identifier: GPL-2.0
//! What a run of the guest's script test.sh says about each test.

use anyhow::Result;

use super::matrix::Matrix;
use super::verdict::Result as TestResult;
use crate::context::Context;
use crate::section::{self, Section};
use crate::splat::Splats;
use crate::vm::Run;

/// The row of the boot itself: KUnit's results and a clean log.
const BOOT: &str = "boot, KUnit";
/// Tests of the guest's script, around those of the suite.
pub const STEPS: [&str; 2] = ["load", "unload"];

/// Whether it is part of every run, whatever was asked for.
pub fn is_in_every_run(test: &str) -> bool {
    test == BOOT || STEPS.contains(&test)
}

pub struct Judge {
    splats: Splats,
}

impl Judge {
    pub fn new(ctx: &Context) -> Result<Self> {
        Ok(Self {
            splats: Splats::of(ctx)?,
        })
    }

    /// Adds the results of `tests`, which `run` was told to run, and of what is
    /// in every run.
    pub fn add(&self, method: &str, run: &Run, tests: &[String], matrix: &mut Matrix) {
        let output = section::split(&run.output);
        let console = section::split(&run.console);
        let boot = section::lines(&console, "");
        let splats = self.splats.find(BOOT, boot);
        matrix.add(BOOT, method, TestResult::of_boot(boot, &splats));

        let [load, unload] = STEPS;
        let names = tests.iter().map(String::as_str);
        for test in [load].into_iter().chain(names).chain([unload]) {
            matrix.add(test, method, self.of_sections(test, &output, &console));
        }
    }

    /// The result of one test, whatever else `run` did.
    pub fn single(&self, test: &str, run: &Run) -> TestResult {
        self.of_sections(
            test,
            &section::split(&run.output),
            &section::split(&run.console),
        )
    }

    /// The result of a guest that was to end with the message `reason`, and has.
    pub fn ended(&self, test: &str, reason: &str, run: &Run) -> TestResult {
        TestResult::passed(reason, &self.splats.find(test, &run.console))
    }

    fn of_sections(&self, test: &str, output: &[Section], console: &[Section]) -> TestResult {
        let splats = self.splats.find(test, section::lines(console, test));
        match section::find(output, test) {
            Some(section) => TestResult::of_test(section, &splats),
            None => TestResult::missing("did not run"),
        }
    }
}
