//! What every way of looking through the blocks of BTC and LTC has in common.

use events::chain::Block;

use crate::http::Endpoint;
use actors::deposit::chain::{ChainError, Scan};

/// Blocks in their order: each must stand on the one before.
#[derive(Debug, Default)]
pub struct Walk {
    scan: Option<Scan>,
}

impl Walk {
    /// The next block, which stands on `parent`.
    pub fn enter(
        &mut self,
        block: &Block,
        parent: Option<String>,
    ) -> Result<&mut Scan, ChainError> {
        if self.scan.as_ref().is_some_and(|scan| Some(&scan.last.hash) != parent.as_ref()) {
            return Err(ChainError::Moved);
        }
        let scan = self.scan.get_or_insert_with(|| Scan {
            parent,
            last: block.clone(),
            payments: Vec::new(),
        });
        scan.last = block.clone();
        Ok(scan)
    }

    /// What was found.
    pub fn end(self) -> Result<Scan, ChainError> {
        self.scan.ok_or(ChainError::Moved)
    }
}

/// Whether a chain that begins with `found` is the one that begins with `expected`.
pub fn same_network(
    endpoint: &Endpoint,
    found: Option<String>,
    expected: &str,
) -> Result<(), ChainError> {
    match found {
        Some(found) if found == expected => Ok(()),
        found => {
            let detail =
                format!("its first block is {:.64}, not {expected}", found.unwrap_or_default());
            Err(ChainError::WrongNetwork { endpoint: endpoint.name().to_owned(), detail })
        }
    }
}
