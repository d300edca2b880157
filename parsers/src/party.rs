//! A party that many records name alike.

use std::{
    ops::{Deref, DerefMut},
    sync::Arc,
};

use serde::{Serialize, Serializer};

use crate::Party;

/// A party of one record, or one that many records of a file share: our account stands on a statement once and in its payments a thousand
/// times.
///
/// It is read, changed and compared like the [`Party`] it holds; changing a shared one makes it the record's own.
#[derive(Clone, Debug)]
pub enum SharedParty<'a> {
    /// Named by this record.
    Own(Party<'a>),
    /// Named once, for all records below it.
    Shared(Arc<Party<'a>>),
}

impl SharedParty<'_> {
    /// Nobody.
    pub(crate) const NOBODY: SharedParty<'static> = SharedParty::Own(Party { name: None, id: None, bank: None, account: None });

    /// Whether nothing is known of it.
    pub fn is_empty(&self) -> bool {
        self.deref().is_empty()
    }
}

impl Default for SharedParty<'_> {
    fn default() -> Self {
        Self::NOBODY
    }
}

impl<'a> From<Party<'a>> for SharedParty<'a> {
    fn from(party: Party<'a>) -> Self {
        Self::Own(party)
    }
}

impl<'a> Deref for SharedParty<'a> {
    type Target = Party<'a>;

    #[inline]
    fn deref(&self) -> &Party<'a> {
        match self {
            Self::Own(party) => party,
            Self::Shared(party) => party,
        }
    }
}

impl DerefMut for SharedParty<'_> {
    #[inline]
    fn deref_mut(&mut self) -> &mut Self::Target {
        match self {
            Self::Own(party) => party,
            Self::Shared(party) => Arc::make_mut(party),
        }
    }
}

impl PartialEq for SharedParty<'_> {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl Eq for SharedParty<'_> {}

impl Serialize for SharedParty<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        (**self).serialize(serializer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changing_a_shared_party_changes_no_other_record() {
        let ours = Arc::new(Party { name: Some("OURS".into()), ..Party::default() });
        let (mut one, two) = (SharedParty::Shared(Arc::clone(&ours)), SharedParty::Shared(ours));
        assert_eq!(one, two);
        one.id = Some("7".into());
        assert_eq!((one.name.as_deref(), one.id.as_deref()), (Some("OURS"), Some("7")));
        assert_eq!(two.id, None);
        assert_ne!(one, two);
        assert_eq!(SharedParty::default(), SharedParty::from(Party::default()));
    }
}
