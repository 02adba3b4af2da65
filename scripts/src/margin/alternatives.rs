// SPDX-License-Identifier: GPL-2.0
//! Instructions that the kernel may put in the place of others while it boots.

use std::collections::HashMap;

use super::code::{self, Step};
use super::image::Image;
use super::words;

/// The size of struct alt_instr.
const ENTRY: usize = 14;

/// What may run instead, by the address of what it replaces.
#[derive(Default)]
pub struct Alternatives(HashMap<u64, Vec<Vec<Step>>>);

impl Alternatives {
    pub fn read(image: &Image, mut pointer: impl FnMut(u64)) -> Self {
        let mut replacements: HashMap<u64, Vec<_>> = HashMap::new();
        if let Some(table) = image.section(".altinstructions") {
            for (original, replacement, length) in entries(table.start, &table.bytes) {
                let bytes = image.bytes(replacement..replacement + u64::from(length));
                let steps = code::read(replacement, bytes, &mut pointer);
                replacements.entry(original).or_default().push(steps);
            }
        }
        Self(replacements)
    }

    pub fn of(&self, original: u64) -> &[Vec<Step>] {
        self.0.get(&original).map_or(&[], Vec::as_slice)
    }
}

/// Where the original is, where the replacement is, and how long that one is.
fn entries(start: u64, bytes: &[u8]) -> Vec<(u64, u64, u8)> {
    let entry = |(index, entry): (usize, [u8; ENTRY])| {
        let place = start + (ENTRY * index) as u64;
        let mut targets = words::targets(place, &entry[..8]);
        let length = entry[ENTRY - 1];
        Some((targets.next()?, targets.next()?, length))
    };
    let entries = words::entries(bytes).enumerate();
    entries.filter_map(entry).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_count_from_their_own_place() {
        let mut bytes = vec![0; ENTRY];
        bytes.extend(0x10_i32.to_le_bytes());
        bytes.extend((-0x20_i32).to_le_bytes());
        bytes.extend([0, 0, 0, 0, 7, 5]);
        let place = 0x1000 + ENTRY as u64;
        assert_eq!(
            entries(0x1000, &bytes)[1],
            (place + 0x10, place + 4 - 0x20, 5)
        );
    }
}
