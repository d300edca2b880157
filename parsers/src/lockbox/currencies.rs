//! The currencies of lockboxes, which their files do not name.

use std::{collections::BTreeMap, fmt, sync::Arc};

use crate::Currency;

/// Which currency: our bank (record 1, origin) and the number of the lockbox go in.
type Lookup = dyn Fn(&str, &str) -> Option<Currency> + Send + Sync;

/// Tells the currency of a lockbox. A function, so that whoever keeps the numbers sealed need not open them.
#[derive(Clone, Default)]
pub struct LockboxCurrencies(Option<Arc<Lookup>>);

impl LockboxCurrencies {
    /// Asks `lookup` for the currency of a lockbox, given our bank and the number as the file writes them.
    pub fn by(lookup: impl Fn(&str, &str) -> Option<Currency> + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(lookup)))
    }

    /// The currency of a lockbox; nothing when nobody told it.
    pub(super) fn of(&self, bank: &str, lockbox: &str) -> Option<Currency> {
        self.0.as_ref().and_then(|lookup| lookup(bank, lockbox))
    }
}

/// Numbers are compared without their leading zeros.
impl<const N: usize> From<[(String, Currency); N]> for LockboxCurrencies {
    fn from(known: [(String, Currency); N]) -> Self {
        let plain = |number: &str| number.trim_start_matches('0').to_owned();
        let known: BTreeMap<_, _> = known.into_iter().map(|(number, currency)| (plain(&number), currency)).collect();
        Self::by(move |_, lockbox| known.get(&plain(lockbox)).copied())
    }
}

impl fmt::Debug for LockboxCurrencies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "LockboxCurrencies(known)" } else { "LockboxCurrencies(none)" })
    }
}
