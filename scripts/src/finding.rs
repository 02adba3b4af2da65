// SPDX-License-Identifier: GPL-2.0
//! What a probe says: there is what is needed, or something is wrong and can be mended.

use std::fmt;

use crate::apt;
use crate::program::Program;

pub struct Finding {
    pub what: String,
    /// What was found, or the fault.
    pub state: Result<String, Fault>,
}

#[derive(Debug)]
pub struct Fault {
    pub wrong: String,
    pub mend: Mend,
}

#[derive(Debug)]
pub enum Mend {
    Packages(Vec<String>),
    /// A package of the release is too old; its backports have a newer one.
    Backport(&'static str),
    Program(Program),
    ByHand(&'static str),
}

impl Finding {
    /// `mend` is asked only in case of a fault: looking for packages is slow.
    pub fn new(
        what: impl Into<String>,
        state: Result<impl Into<String>, impl Into<String>>,
        mend: impl FnOnce() -> Mend,
    ) -> Self {
        let state = match state {
            Ok(found) => Ok(found.into()),
            Err(wrong) => Err(Fault {
                wrong: wrong.into(),
                mend: mend(),
            }),
        };
        Self {
            what: what.into(),
            state,
        }
    }
}

impl Mend {
    pub fn package(name: &str) -> Self {
        Self::Packages(vec![name.to_string()])
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.wrong)?;
        match &self.mend {
            Mend::Packages(packages) => write!(f, "{}", apt::install_command(packages)),
            Mend::Backport(_) | Mend::Program(_) => write!(f, "make setup"),
            Mend::ByHand(what) => write!(f, "{what}"),
        }
    }
}
