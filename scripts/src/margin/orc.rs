// SPDX-License-Identifier: GPL-2.0
//! The tables of the ORC unwinder: how far the stack is down at each instruction.

use anyhow::{Context, Result, ensure};

use super::image::Image;
use super::words;

/// What the hardware pushes for an interrupt, and all of struct pt_regs.
const IRET_FRAME: i64 = 5 * 8;
const PT_REGS: i64 = 21 * 8;

const REG_SP: u8 = 3;
const REG_BP: u8 = 4;
const REG_R10: u8 = 6;
const REG_SP_INDIRECT: u8 = 9;

const TYPE_CALL: u8 = 2;
const TYPE_REGS: u8 = 3;
const TYPE_REGS_PARTIAL: u8 = 4;

/// By address.
pub struct Orc {
    addresses: Vec<u64>,
    places: Vec<Place>,
}

/// Where the stack pointer is, before an instruction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// So many bytes below what it was before the call, or before the interrupt.
    Below(i64),
    /// What it was before the call is so many bytes above the frame pointer.
    Frame(i64),
    /// The same of the register r10, where GCC aligns the stack.
    Aligned(i64),
    /// On another stack, with the way back saved there.
    Elsewhere,
    Unknown,
}

impl Orc {
    pub fn read(image: &Image) -> Result<Self> {
        let missing = "no ORC tables in vmlinux: it needs CONFIG_UNWINDER_ORC";
        let ips = image.section(".orc_unwind_ip").context(missing)?;
        let entries = image.section(".orc_unwind").context(missing)?;
        Self::parse(ips.start, &ips.bytes, &entries.bytes)
    }

    fn parse(start: u64, ips: &[u8], entries: &[u8]) -> Result<Self> {
        let addresses = words::targets(start, ips);
        let entries = words::entries(entries);
        ensure!(
            addresses.len() == entries.len(),
            "the ORC tables differ in length: {} addresses, {} entries",
            addresses.len(),
            entries.len()
        );
        let mut pairs: Vec<_> = addresses.zip(entries.map(place)).collect();
        pairs.sort_by_key(|(address, _)| *address);
        let (addresses, places) = pairs.into_iter().unzip();
        Ok(Self { addresses, places })
    }

    #[cfg(test)]
    pub fn with(places: &[(u64, Place)]) -> Self {
        let (addresses, places) = places.iter().copied().unzip();
        Self { addresses, places }
    }

    pub fn at(&self, address: u64) -> Place {
        let after = self.addresses.partition_point(|start| *start <= address);
        match after.checked_sub(1) {
            Some(index) => self.places[index],
            None => Place::Unknown,
        }
    }
}

/// One struct orc_entry.
fn place(entry: [u8; 6]) -> Place {
    let sp_offset = i64::from(i16::from_le_bytes([entry[0], entry[1]]));
    let (sp_reg, kind) = (entry[4] & 0xf, entry[5] & 7);
    let frame = match kind {
        TYPE_CALL => 0,
        TYPE_REGS => PT_REGS,
        TYPE_REGS_PARTIAL => IRET_FRAME,
        _ => return Place::Unknown,
    };
    match sp_reg {
        REG_SP => Place::Below(sp_offset + frame),
        REG_BP => Place::Frame(sp_offset + frame),
        REG_R10 => Place::Aligned(sp_offset + frame),
        REG_SP_INDIRECT => Place::Elsewhere,
        _ => Place::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: u64 = 0x2000;

    fn entry(sp_offset: i16, sp_reg: u8, kind: u8) -> [u8; 6] {
        let [low, high] = sp_offset.to_le_bytes();
        [low, high, 0, 0, sp_reg, kind]
    }

    /// In the order in which they are given.
    fn tables(entries: &[(u64, [u8; 6])]) -> Orc {
        let ips: Vec<u8> = entries
            .iter()
            .enumerate()
            .flat_map(|(index, (address, _))| {
                let place = START + 4 * index as u64;
                (address.wrapping_sub(place) as i32).to_le_bytes()
            })
            .collect();
        let entries: Vec<u8> = entries.iter().flat_map(|(_, entry)| *entry).collect();
        Orc::parse(START, &ips, &entries).unwrap()
    }

    #[test]
    fn an_entry_counts_from_its_address_to_the_next_one() {
        let orc = tables(&[
            (0x1010, entry(48, REG_SP, TYPE_CALL)),
            (0x1000, entry(8, REG_SP, TYPE_CALL)),
            (0x1020, entry(16, REG_BP, TYPE_CALL)),
        ]);
        assert_eq!(orc.at(0xfff), Place::Unknown);
        assert_eq!(orc.at(0x1000), Place::Below(8));
        assert_eq!(orc.at(0x100f), Place::Below(8));
        assert_eq!(orc.at(0x1010), Place::Below(48));
        assert_eq!(orc.at(0x1020), Place::Frame(16));
    }

    #[test]
    fn entry_code_counts_from_before_the_interrupt() {
        let orc = tables(&[
            (0x1000, entry(8, REG_SP, TYPE_REGS_PARTIAL)),
            (0x1010, entry(8, REG_SP, TYPE_REGS)),
            (0x1020, entry(0, REG_SP_INDIRECT, TYPE_CALL)),
            (0x1030, entry(0, 0, 0)),
        ]);
        assert_eq!(orc.at(0x1000), Place::Below(48));
        assert_eq!(orc.at(0x1010), Place::Below(176));
        assert_eq!(orc.at(0x1020), Place::Elsewhere);
        assert_eq!(orc.at(0x1030), Place::Unknown);
    }

    #[test]
    fn tables_of_different_lengths_are_refused() {
        let error = Orc::parse(START, &[0; 8], &[0; 6]).err().unwrap();
        assert!(
            error.to_string().contains("2 addresses, 1 entries"),
            "{error}"
        );
    }
}
