//! Service characters: those of a UNA segment, or the defaults of ISO 9735.

use crate::x12::{Delimiters, Terminator};

/// Blanks between UNA and UNB that are passed over.
const GAP_MAX: usize = 64;

/// What separates in one interchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Marks {
    /// Component data element separator.
    pub component: u8,
    /// Data element separator.
    pub element: u8,
    /// Decimal mark; a comma or a point.
    pub decimal: u8,
    /// Takes the meaning from the character behind it.
    pub release: Option<u8>,
    /// Between repeats of an element, from syntax version 4 on.
    pub repetition: Option<u8>,
    /// Segment terminator.
    pub terminator: u8,
    /// Fifth character of UNA: reserved, and the repetition separator from syntax version 4 on.
    reserved: u8,
}

/// What stands at the beginning of some bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Beginning {
    /// An interchange whose UNB begins so many bytes further on.
    Interchange(Marks, usize),
    /// More bytes are needed to decide.
    NeedsBytes,
    /// No interchange.
    Foreign,
}

impl Marks {
    /// `:+.? '`, what holds without UNA.
    pub const DEFAULT: Self = Self {
        component: b':',
        element: b'+',
        decimal: b'.',
        release: Some(b'?'),
        repetition: None,
        terminator: b'\'',
        reserved: b'*',
    };

    /// The separators of character set level B, which do not print.
    const LEVEL_B: Self = Self { component: 0x1f, element: 0x1d, release: None, terminator: 0x1c, ..Self::DEFAULT };

    fn of_una(una: [u8; 6]) -> Option<Self> {
        let [component, element, decimal, release, reserved, terminator] = una;
        let separators = [component, element, terminator];
        let usable = separators.iter().all(|byte| byte.is_ascii() && !byte.is_ascii_alphanumeric() && *byte != b' ');
        let differ = component != element && element != terminator && terminator != component;
        let release = (release != b' ').then_some(release).filter(|release| !release.is_ascii_alphanumeric());
        let clash = release.is_some_and(|release| separators.contains(&release));
        (usable && differ && !clash).then_some(Self {
            component,
            element,
            decimal,
            release,
            repetition: None,
            terminator,
            reserved,
        })
    }

    /// The separators in the form in which they are told to others.
    pub fn delimiters(&self) -> Delimiters {
        let Self { element, component, repetition, terminator, .. } = *self;
        Delimiters { element, component, repetition, terminator: Terminator::byte(terminator) }
    }

    /// The same with what the syntax version adds.
    pub fn for_version(self, version: &str) -> Self {
        let usable = !self.reserved.is_ascii_alphanumeric()
            && self.reserved != b' '
            && ![self.component, self.element, self.terminator].contains(&self.reserved)
            && Some(self.reserved) != self.release;
        let repeats = version.starts_with('4') && usable;
        Self { repetition: repeats.then_some(self.reserved), ..self }
    }
}

/// Whether a file begins with an interchange.
pub(crate) fn begins(text: &[u8]) -> bool {
    matches!(beginning(text, true), Beginning::Interchange(..))
}

/// Judges the first bytes; `last` says that no more will come.
pub(super) fn beginning(bytes: &[u8], last: bool) -> Beginning {
    let wait = if last { Beginning::Foreign } else { Beginning::NeedsBytes };
    if bytes.len() < 4 {
        let may_begin = b"UNA".starts_with(bytes) || b"UNB".starts_with(bytes) || bytes == b"UNA" || bytes == b"UNB";
        return if may_begin { wait } else { Beginning::Foreign };
    }
    match bytes {
        [b'U', b'N', b'B', b'+', ..] => Beginning::Interchange(Marks::DEFAULT, 0),
        [b'U', b'N', b'B', 0x1d, ..] => Beginning::Interchange(Marks::LEVEL_B, 0),
        [b'U', b'N', b'A', rest @ ..] => {
            let Some((una, rest)) = rest.split_first_chunk::<6>() else { return wait };
            let Some(marks) = Marks::of_una(*una) else { return Beginning::Foreign };
            let blank = rest.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
            match rest.get(blank..) {
                _ if blank > GAP_MAX => Beginning::Foreign,
                Some([b'U', b'N', b'B', element, ..]) if *element == marks.element => {
                    Beginning::Interchange(marks, blank.saturating_add(9))
                }
                Some(begun) if begun.len() < 4 && b"UNB".starts_with(begun.get(..3).unwrap_or(begun)) => wait,
                _ => Beginning::Foreign,
            }
        }
        _ => Beginning::Foreign,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: Option<([u8; 4], usize)>) {
        let found = match beginning(text.as_bytes(), true) {
            Beginning::Interchange(marks, at) => {
                Some(([marks.component, marks.element, marks.release.unwrap_or(b' '), marks.terminator], at))
            }
            _ => None,
        };
        assert_eq!(found, expected, "{text:?}");
    }

    #[test]
    fn una_or_the_defaults_say_what_separates() {
        check("UNB+UNOA:1+A+B", Some((*b":+?'", 0)));
        check("UNA:+.? 'UNB+UNOA:1+A+B", Some((*b":+?'", 9)));
        check("UNA:+.? '\r\nUNB+UNOA:1", Some((*b":+?'", 11)));
        check("UNA;*,\\^~UNB*UNOA;4", Some((*b";*\\~", 9)));
        check("UNA:+.  \nUNB+UNOA:1", Some((*b":+ \n", 9)));
        check("UNB\u{1d}UNOB\u{1f}1", Some(([0x1f, 0x1d, b' ', 0x1c], 0)));
    }

    #[test]
    fn words_are_no_interchange() {
        for text in
            ["UNABHANGIG;BETRAG", "UNB", "UNA:+.? '", "UNA:+.? 'UNH+1", "UNA:+.? 'UNB*UNOA", "UNA++.? 'UNB+", "UNBOUND", ""]
        {
            check(text, None);
        }
        for text in ["", "U", "UN", "UNA", "UNA:+.?", "UNA:+.? '", "UNA:+.? '\n", "UNA:+.? 'UN", "UNA:+.? 'UNB", "UNB"] {
            assert_eq!(beginning(text.as_bytes(), false), Beginning::NeedsBytes, "{text:?}");
        }
    }

    #[test]
    fn repeats_are_separated_from_version_4_on() {
        assert_eq!(Marks::DEFAULT.for_version("3").repetition, None);
        assert_eq!(Marks::DEFAULT.for_version("4").repetition, Some(b'*'));
        let una = Marks::of_una(*b":+.? '").expect("service characters");
        assert_eq!(una.for_version("4").repetition, None);
    }
}
