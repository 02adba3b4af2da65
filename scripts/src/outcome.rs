// SPDX-License-Identifier: GPL-2.0
//! How a run ended. The exit codes are an interface for scripts and CI.

use std::process::ExitCode;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    Pass = 0,
    Fail = 1,
    Skip = 4,
    /// A tool, the source or a build is missing or broke; every `Err` ends as this.
    Infrastructure = 69,
    /// The virtual machine hung, panicked or ended early.
    VmDied = 255,
}

impl From<Outcome> for ExitCode {
    fn from(outcome: Outcome) -> Self {
        ExitCode::from(outcome as u8)
    }
}
