// SPDX-License-Identifier: GPL-2.0
//! Names for what a result was made from.

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;

use anyhow::{Context, Result};
use sha2::{Digest, Sha256};

const KEY_BYTES: usize = 6;

/// Collects the inputs of a result; equal inputs in equal order give equal keys.
#[derive(Default)]
pub struct Hash(Sha256);

impl Hash {
    pub fn text(&mut self, text: &str) {
        self.0.update((text.len() as u64).to_le_bytes());
        self.0.update(text);
    }

    pub fn file(&mut self, path: &Path) -> Result<()> {
        let mut contents = Digester(Sha256::new());
        File::open(path)
            .and_then(|mut file| io::copy(&mut file, &mut contents))
            .with_context(|| format!("cannot read {}", path.display()))?;
        self.0.update(contents.0.finalize());
        Ok(())
    }

    pub fn key(self) -> String {
        let digest = self.0.finalize();
        digest
            .iter()
            .take(KEY_BYTES)
            .map(|byte| format!("{byte:02x}"))
            .collect()
    }
}

struct Digester(Sha256);

impl Write for Digester {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(texts: &[&str]) -> String {
        let mut hash = Hash::default();
        texts.iter().for_each(|text| hash.text(text));
        hash.key()
    }

    #[test]
    fn order_and_borders_count() {
        assert_eq!(key(&["a", "b"]), key(&["a", "b"]));
        assert_ne!(key(&["a", "b"]), key(&["b", "a"]));
        assert_ne!(key(&["ab", "c"]), key(&["a", "bc"]));
        assert_eq!(key(&["a"]).len(), 2 * KEY_BYTES);
    }
}
