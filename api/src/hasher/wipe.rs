//! The memory of a thread that has nothing to hash: wiped, and after a while returned to the system.

use argon2::Block;

use super::Memory;

impl Memory {
    /// A password is far easier to guess from the memory of a single pass than from its hash. Takes 1 ms for the memory
    /// of a new hash.
    pub(super) fn wipe(&mut self) {
        self.blocks[..self.used].fill(Block::new());
        self.used = 0;
    }

    /// Returns the memory to the system.
    pub(super) fn give_back(&mut self) {
        self.wipe();
        self.blocks = Vec::new();
    }

    #[cfg(test)]
    pub(super) fn is_wiped(&self) -> bool {
        !self.blocks.is_empty()
            && self.blocks.iter().all(|block| block.as_ref().iter().all(|word| *word == 0))
    }
}
