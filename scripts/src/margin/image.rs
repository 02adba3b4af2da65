// SPDX-License-Identifier: GPL-2.0
//! A linked kernel: its bytes, and which function is where.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::ops::Range;
use std::path::Path;

use anyhow::{Context, Result};
use object::read::elf::ElfFile64;
use object::{Object, ObjectSection, ObjectSymbol, SectionFlags, SymbolKind, elf};

use super::words;

/// Compilers move what is seldom run into parts of their own.
const COLD: &str = ".cold";
/// How the names of sections with code for alternatives begin.
const PATCHES: &str = ".altinstr";

pub struct Image {
    regions: Vec<Region>,
    symbols: HashMap<String, u64>,
    /// By address.
    pub functions: Vec<Function>,
    /// Where each range of code begins, and whose it is.
    owners: BTreeMap<u64, usize>,
}

pub struct Region {
    pub name: String,
    pub start: u64,
    pub bytes: Vec<u8>,
    pub executable: bool,
}

#[derive(Debug, PartialEq, Eq)]
pub struct Function {
    pub name: String,
    /// It begins where callers enter.
    pub body: Range<u64>,
    pub cold: Vec<Range<u64>>,
    /// It is code for boot or exit, which is not checked.
    pub init: bool,
}

/// A symbol in code.
struct Label {
    name: String,
    start: u64,
    size: u64,
    /// The compiled file it is local to; 0 if it is global.
    file: usize,
}

impl Image {
    pub fn read(path: &Path) -> Result<Self> {
        let bytes = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
        Self::parse(&bytes).with_context(|| format!("{} is no vmlinux", path.display()))
    }

    fn parse(bytes: &[u8]) -> Result<Self> {
        let elf = ElfFile64::<object::Endianness>::parse(bytes)?;
        let mut regions = Vec::new();
        for section in elf.sections() {
            let SectionFlags::Elf { sh_flags, .. } = section.flags() else {
                continue;
            };
            if !sh_flags.contains(elf::SHF_ALLOC) || section.size() == 0 {
                continue;
            }
            regions.push(Region {
                name: section.name()?.to_string(),
                start: section.address(),
                bytes: section.data()?.to_vec(),
                executable: sh_flags.contains(elf::SHF_EXECINSTR),
            });
        }
        let mut symbols = HashMap::new();
        let (mut sized, mut bare) = (Vec::new(), Vec::new());
        let mut file = 0;
        for symbol in elf.symbols() {
            let name = symbol.name()?;
            if symbol.kind() == SymbolKind::File {
                file += 1;
                continue;
            }
            if name.is_empty() || symbol.is_undefined() {
                continue;
            }
            symbols.insert(name.to_string(), symbol.address());
            let label = Label {
                name: name.to_string(),
                start: symbol.address(),
                size: symbol.size(),
                file: if symbol.is_global() { 0 } else { file },
            };
            if symbol.kind() == SymbolKind::Text && label.size > 0 {
                sized.push(label);
            } else if !name.starts_with("__pfx_") && !name.starts_with("__cfi_") {
                bare.push(label);
            }
        }
        let code = |label: &Label| {
            regions
                .iter()
                .find(|region| region.has_functions() && region.holds(label.start))
        };
        sized.retain(|label| code(label).is_some());
        bare.retain(|label| code(label).is_some());
        let ends = |label: &Label| code(label).map_or(label.start, Region::end);
        let labels = boundaries(sized, bare, ends);
        let is_init = |start: u64| {
            let region = regions.iter().find(|region| region.holds(start));
            region.is_some_and(|region| region.name != ".text")
        };
        let functions = merge_cold(labels, is_init);
        Ok(Self::new(regions, symbols, functions))
    }

    pub fn new(
        regions: Vec<Region>,
        symbols: HashMap<String, u64>,
        functions: Vec<Function>,
    ) -> Self {
        let mut owners = BTreeMap::new();
        for (index, function) in functions.iter().enumerate() {
            owners.extend(function.parts().map(|part| (part.start, index)));
        }
        Self {
            regions,
            symbols,
            functions,
            owners,
        }
    }

    pub fn symbol(&self, name: &str) -> Option<u64> {
        self.symbols.get(name).copied()
    }

    pub fn section(&self, name: &str) -> Option<&Region> {
        self.regions.iter().find(|region| region.name == name)
    }

    pub fn regions(&self) -> &[Region] {
        &self.regions
    }

    /// The function with code at `address`.
    pub fn owner(&self, address: u64) -> Option<usize> {
        let (_, index) = self.owners.range(..=address).next_back()?;
        self.functions[*index].holds(address).then_some(*index)
    }

    /// The function that is entered at `address`.
    pub fn entered_at(&self, address: u64) -> Option<usize> {
        let index = *self.owners.get(&address)?;
        (self.functions[index].start() == address).then_some(index)
    }

    /// What the image holds from `range.start` on, as far as it is in one section.
    pub fn bytes(&self, range: Range<u64>) -> &[u8] {
        let found = self.regions.iter().find(|region| region.holds(range.start));
        found.map_or(&[], |region| region.slice(range))
    }

    /// The 8-byte words between two symbols.
    pub fn words(&self, from: &str, to: &str) -> Vec<u64> {
        let (Some(from), Some(to)) = (self.symbol(from), self.symbol(to)) else {
            return Vec::new();
        };
        words::addresses(self.bytes(from..to)).collect()
    }
}

impl Region {
    pub fn end(&self) -> u64 {
        self.start + self.bytes.len() as u64
    }

    /// Parts of functions that run until code is patched, and what is patched in, are
    /// none themselves.
    fn has_functions(&self) -> bool {
        self.executable && !self.name.starts_with(PATCHES)
    }

    fn holds(&self, address: u64) -> bool {
        (self.start..self.end()).contains(&address)
    }

    fn slice(&self, range: Range<u64>) -> &[u8] {
        let end = range.end.min(self.end()).max(range.start);
        &self.bytes[(range.start - self.start) as usize..(end - self.start) as usize]
    }
}

impl Function {
    pub fn start(&self) -> u64 {
        self.body.start
    }

    pub fn parts(&self) -> impl Iterator<Item = &Range<u64>> {
        [&self.body].into_iter().chain(&self.cold)
    }

    pub fn holds(&self, address: u64) -> bool {
        self.parts().any(|part| part.contains(&address))
    }
}

/// Symbols with a size are functions; one without a size is one only where it lies
/// between them, and ends at the next symbol. One label for each address.
fn boundaries(sized: Vec<Label>, bare: Vec<Label>, end: impl Fn(&Label) -> u64) -> Vec<Label> {
    let mut labels = BTreeMap::new();
    for label in sized {
        let known = labels.entry(label.start).or_insert_with(|| Label {
            size: 0,
            ..clone(&label)
        });
        // Of several names, a global one is the one that people know.
        if (label.size, label.file == 0) > (known.size, known.file == 0) {
            *known = label;
        }
    }
    for label in bare {
        let before = labels.range(..=label.start).next_back();
        let inside = before.is_some_and(|(start, other)| {
            *start == label.start || (other.size > 0 && start + other.size > label.start)
        });
        if !inside {
            labels.insert(label.start, label);
        }
    }
    let mut labels: Vec<_> = labels.into_values().collect();
    let mut next = u64::MAX;
    for label in labels.iter_mut().rev() {
        let room = next.min(end(label)) - label.start;
        label.size = if label.size == 0 {
            room
        } else {
            label.size.min(room)
        };
        next = label.start;
    }
    labels
}

fn clone(label: &Label) -> Label {
    Label {
        name: label.name.clone(),
        ..*label
    }
}

fn merge_cold(labels: Vec<Label>, is_init: impl Fn(u64) -> bool) -> Vec<Function> {
    let (cold, labels): (Vec<_>, Vec<_>) = labels
        .into_iter()
        .partition(|label| parent(&label.name).is_some());
    let mut local = HashMap::new();
    let mut functions = Vec::new();
    for label in labels {
        local.insert((label.name.clone(), label.file), functions.len());
        functions.push(Function {
            init: is_init(label.start),
            body: label.start..label.start + label.size,
            cold: Vec::new(),
            name: label.name,
        });
    }
    for label in cold {
        let Some(parent) = parent(&label.name) else {
            continue;
        };
        let key = |file| (parent.to_string(), file);
        let range = label.start..label.start + label.size;
        match local.get(&key(label.file)).or_else(|| local.get(&key(0))) {
            Some(index) => functions[*index].cold.push(range),
            None => functions.push(Function {
                init: is_init(label.start),
                body: range,
                cold: Vec::new(),
                name: label.name,
            }),
        }
    }
    functions
}

/// Whose cold part the function called `name` is.
fn parent(name: &str) -> Option<&str> {
    let (parent, rest) = name.split_once(COLD)?;
    (rest.is_empty() || rest.starts_with('.')).then_some(parent)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn label(name: &str, start: u64, size: u64, file: usize) -> Label {
        Label {
            name: name.to_string(),
            start,
            size,
            file,
        }
    }

    fn functions(sized: Vec<Label>, bare: Vec<Label>) -> Vec<Function> {
        merge_cold(boundaries(sized, bare, |_| 0x1000), |start| start >= 0x800)
    }

    #[test]
    fn a_label_inside_a_function_is_none_and_one_between_ends_at_the_next() {
        let sized = vec![
            label("open", 0x100, 0x20, 1),
            label("close", 0x180, 0x10, 1),
        ];
        let bare = vec![label("inner", 0x110, 0, 1), label("asm_entry", 0x140, 0, 2)];
        let found = functions(sized, bare);
        let ranges: Vec<_> = found
            .iter()
            .map(|function| (function.name.as_str(), function.body.clone()))
            .collect();
        assert_eq!(
            ranges,
            [
                ("open", 0x100..0x120),
                ("asm_entry", 0x140..0x180),
                ("close", 0x180..0x190),
            ]
        );
    }

    #[test]
    fn cold_parts_belong_to_the_function_of_their_file() {
        let sized = vec![
            label("probe", 0x100, 0x20, 1),
            label("probe", 0x200, 0x20, 2),
            label("probe.cold", 0x900, 0x10, 2),
            label("lost.cold.3", 0x920, 0x10, 2),
        ];
        let found = functions(sized, Vec::new());
        let parts: Vec<_> = found
            .iter()
            .map(|function| function.parts().count())
            .collect();
        assert_eq!(parts, [1, 2, 1]);
        assert!(!found[1].init && found[2].init);

        let image = Image::new(Vec::new(), HashMap::new(), found);
        assert_eq!(image.owner(0x905), Some(1));
        assert_eq!(image.entered_at(0x900), None);
        assert_eq!(image.entered_at(0x200), Some(1));
        assert_eq!(image.owner(0x230), None);
    }
}
