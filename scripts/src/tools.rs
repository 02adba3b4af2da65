// SPDX-License-Identifier: GPL-2.0
//! The programs that build and boot a kernel, and the versions they have.

use std::path::PathBuf;

use anyhow::{Context as _, Result};

use crate::context::Context;
use crate::llvm::Llvm;
use crate::program::Program;
use crate::rustc::Rustc;
use crate::setup;

pub struct Tools {
    pub llvm: Llvm,
    pub rustc: Rustc,
    pub bindgen: PathBuf,
    pub vng: PathBuf,
}

impl Tools {
    /// All tools; installs what is missing.
    pub fn ensure(ctx: &Context) -> Result<Self> {
        setup::ensure(ctx)?;
        let rustc = Rustc::find().context("no rustc has the source of core (rust-src)")?;
        Ok(Self {
            llvm: Llvm::choose(rustc.llvm_major).context("no LLVM")?,
            rustc,
            bindgen: Program::Bindgen.path(ctx),
            vng: Program::VirtmeNg.path(ctx),
        })
    }
}
