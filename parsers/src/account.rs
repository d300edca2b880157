//! Account numbers: they are secrets from the first byte on.

use std::fmt;

use serde::{Serialize, Serializer};

use crate::Text;

/// An account number. It prints and serialises as its last four characters; only [`Account::reveal`] gives it whole.
#[derive(Clone, PartialEq, Eq)]
pub struct Account<'a>(Text<'a>);

impl<'a> Account<'a> {
    /// Wraps an account number.
    pub fn new(number: Text<'a>) -> Self {
        Self(number)
    }

    /// The whole number, for the keyed hash and the cipher of the store and for nothing else.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// The last four characters; fewer when the number has fewer than eight, so that at least half of it stays hidden.
    pub fn last4(&self) -> String {
        let length = self.0.chars().count();
        let shown = 4.min(length / 2);
        self.0.chars().skip(length.saturating_sub(shown)).collect()
    }

    pub(crate) fn with_text<'b>(self, text: &mut impl FnMut(Text<'a>) -> Text<'b>) -> Account<'b> {
        Account(text(self.0))
    }

    /// The same number with its own text.
    pub fn into_owned(self) -> Account<'static> {
        Account(Text::Owned(self.0.into_owned()))
    }
}

impl fmt::Debug for Account<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "••••{}", self.last4())
    }
}

impl fmt::Display for Account<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

impl Serialize for Account<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.last4())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_number_never_shows_more_than_half() {
        for (number, shown) in [("123456789", "6789"), ("12345", "45"), ("1", ""), ("", "")] {
            let account = Account::new(number.into());
            assert_eq!(account.last4(), shown);
            assert_eq!(format!("{account:?}"), format!("••••{shown}"));
        }
    }
}
