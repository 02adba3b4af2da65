// SPDX-License-Identifier: GPL-2.0
//! Tables of fixed-size entries in the bytes of an image.

/// The entries of `N` bytes; what is left at the end is none.
pub fn entries<const N: usize>(bytes: &[u8]) -> impl ExactSizeIterator<Item = [u8; N]> {
    bytes.chunks_exact(N).map(|chunk| {
        let mut entry = [0; N];
        entry.copy_from_slice(chunk);
        entry
    })
}

pub fn addresses(bytes: &[u8]) -> impl Iterator<Item = u64> {
    entries(bytes).map(u64::from_le_bytes)
}

/// What offsets of 4 bytes, the first one at `start`, point to: each counts from its
/// own place.
pub fn targets(start: u64, bytes: &[u8]) -> impl ExactSizeIterator<Item = u64> {
    entries(bytes).enumerate().map(move |(index, offset)| {
        let place = start + 4 * index as u64;
        place.wrapping_add_signed(i32::from_le_bytes(offset).into())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_count_from_their_own_place() {
        let offsets = [0x10_i32, -8].map(i32::to_le_bytes).concat();
        let found: Vec<_> = targets(0x1000, &offsets).collect();
        assert_eq!(found, [0x1010, 0xffc]);
    }

    #[test]
    fn an_incomplete_entry_is_none() {
        let found: Vec<_> = addresses(&[1, 0, 0, 0, 0, 0, 0, 0, 2, 0]).collect();
        assert_eq!(found, [1]);
    }
}
