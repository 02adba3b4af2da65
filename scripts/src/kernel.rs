// SPDX-License-Identifier: GPL-2.0
//! Configures and builds the patched kernel, outside its source.

use std::path::{Path, PathBuf};

use anyhow::Result;

use crate::context::Context;

/// A built kernel.
pub struct Kernel {
    /// What kbuild calls O= and modules call KDIR.
    pub build: PathBuf,
}

impl Kernel {
    /// Builds the kernel of the tree, with `fragments` on top of the usual
    /// configuration, or finds the one that was built from the same inputs.
    pub fn ensure(_ctx: &Context, _fragments: &[&Path]) -> Result<Self> {
        anyhow::bail!("no kernel")
    }

    pub fn image(&self) -> PathBuf {
        self.build.join("arch/x86/boot/bzImage")
    }
}
