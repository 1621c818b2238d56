//! How much one question for logs may ask: halved when a node refuses it, remembered, and tried
//! larger again after many good answers. Pure.

use parking_lot::Mutex;

/// Addresses in one question at most: nodes refuse longer ones.
const MOST_ADDRESSES: usize = 500;
/// Good answers before a question is doubled: a refusal may have been a bad moment's.
const ANSWERS_TO_DOUBLE: u32 = 256;

/// How much a question may ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    /// So many blocks.
    pub blocks: u64,
    /// So many addresses.
    pub addresses: usize,
}

/// What was learnt of a node.
#[derive(Debug)]
pub struct Question {
    most: Size,
    learnt: Mutex<Learnt>,
}

#[derive(Debug)]
struct Learnt {
    size: Size,
    answers: u32,
}

impl Question {
    /// Nothing yet: at most so many blocks.
    pub fn new(most_blocks: u64) -> Self {
        let most = Size { blocks: most_blocks.max(1), addresses: MOST_ADDRESSES };
        Self { most, learnt: Mutex::new(Learnt { size: most, answers: 0 }) }
    }

    /// How much the next one may ask.
    pub fn size(&self) -> Size {
        self.learnt.lock().size
    }

    /// One was refused that asked so much; whether a smaller one can be asked.
    pub fn refused(&self, blocks: u64, addresses: usize) -> bool {
        let mut learnt = self.learnt.lock();
        learnt.answers = 0;
        if blocks > 1 {
            learnt.size.blocks = learnt.size.blocks.min(blocks / 2);
        } else if addresses > 1 {
            learnt.size.addresses = learnt.size.addresses.min(addresses / 2);
        }
        blocks > 1 || addresses > 1
    }

    /// One was answered.
    pub fn answered(&self) {
        let mut learnt = self.learnt.lock();
        learnt.answers += 1;
        if learnt.answers >= ANSWERS_TO_DOUBLE {
            learnt.answers = 0;
            let Size { blocks, addresses } = learnt.size;
            learnt.size = Size {
                blocks: (blocks * 2).min(self.most.blocks),
                addresses: (addresses * 2).min(self.most.addresses),
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_halves_and_many_good_answers_double() {
        let question = Question::new(250);
        for blocks in [250, 125, 62, 31, 15] {
            assert_eq!(question.size(), Size { blocks, addresses: 500 });
            assert!(question.refused(blocks, 500));
        }
        assert_eq!(question.size().blocks, 7);
        for _ in 0..ANSWERS_TO_DOUBLE {
            assert_eq!(question.size().blocks, 7);
            question.answered();
        }
        assert_eq!(question.size().blocks, 14);
        for _ in 0..100 * ANSWERS_TO_DOUBLE {
            question.answered();
        }
        assert_eq!(question.size(), Size { blocks: 250, addresses: 500 });
    }

    #[test]
    fn one_block_is_asked_for_fewer_addresses_and_one_address_is_the_end() {
        let question = Question::new(1);
        assert!(question.refused(1, 500) && question.refused(1, 250));
        assert_eq!(question.size(), Size { blocks: 1, addresses: 125 });
        assert!(question.refused(1, 2));
        assert_eq!(question.size().addresses, 1);
        assert!(!question.refused(1, 1));
    }
}
