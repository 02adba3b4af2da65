// SPDX-License-Identifier: GPL-2.0
//! The programs that build and boot a kernel, found by what they can do.

use std::path::PathBuf;

use anyhow::Result;

use crate::context::Context;

pub struct Tools {
    /// LLVM's suffix as the kernel's LLVM= takes it, for example "-22".
    pub llvm: String,
    pub rustc: PathBuf,
    pub bindgen: PathBuf,
    pub vng: PathBuf,
    pub qemu: PathBuf,
}

impl Tools {
    /// Finds all tools, installing what is missing.
    pub fn ensure(_ctx: &Context) -> Result<Self> {
        anyhow::bail!("tools are not set up")
    }
}
