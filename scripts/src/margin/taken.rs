// SPDX-License-Identifier: GPL-2.0
//! Functions whose address is somewhere in the image, so that a pointer may lead
//! to them.

use std::collections::HashSet;

use super::image::{Image, Region};
use super::words;

/// They say something about code; nobody calls what they point to.
const ABOUT_CODE: [&str; 8] = [
    ".orc_",
    "__ksymtab",
    "__kcrctab",
    "__bug_table",
    "__ex_table",
    ".altinstructions",
    "__mcount_loc",
    ".smp_locks",
];
/// The same, between two symbols.
const LISTS_ABOUT_CODE: [[&str; 2]; 3] = [
    ["__start_mcount_loc", "__stop_mcount_loc"],
    ["__start_kprobe_blacklist", "__stop_kprobe_blacklist"],
    [
        "__start_error_injection_whitelist",
        "__stop_error_injection_whitelist",
    ],
];
/// With addresses as offsets of 4 bytes from their own place.
const OFFSETS: [&str; 2] = [".init.data", ".pci_fixup"];

/// The functions that data point to, by number.
pub fn by_data(image: &Image) -> HashSet<usize> {
    let mut taken = HashSet::new();
    let skipped: Vec<_> = LISTS_ABOUT_CODE
        .iter()
        .filter_map(|[from, to]| Some(image.symbol(from)?..image.symbol(to)?))
        .collect();
    let data = |region: &&Region| {
        !region.executable && !ABOUT_CODE.iter().any(|name| region.name.starts_with(name))
    };
    for region in image.regions().iter().filter(data) {
        for (offset, word) in region.bytes.windows(8).enumerate() {
            let word = word
                .iter()
                .rev()
                .fold(0, |sum, byte| sum << 8 | u64::from(*byte));
            let place = region.start + offset as u64;
            if !skipped.iter().any(|list| list.contains(&place)) {
                taken.extend(image.entered_at(word));
            }
        }
        if OFFSETS.contains(&region.name.as_str()) {
            let targets = words::targets(region.start, &region.bytes);
            taken.extend(targets.filter_map(|target| image.entered_at(target)));
        }
    }
    taken
}
