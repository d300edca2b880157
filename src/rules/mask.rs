//! Masks: the small language in which a rule file says how a reference looks.
//!
//! `#` a digit, `@` a letter, `?` either; `+` after it one or more, `{3}` exactly three, `{2,5}` two to five; `(` and `)` around
//! what is kept; anything else stands for itself, in either case. `INV-(#{4,6})` keeps the digits of `inv-00123`.

use std::fmt;

use serde::{Deserialize, Deserializer, de::Error as _};

/// A mask, ready to use.
#[derive(Clone, PartialEq, Eq)]
pub struct Mask {
    text: String,
    atoms: Vec<Atom>,
    /// First and last atom of what is kept, the last not included.
    keep: (usize, usize),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Atom {
    class: Class,
    least: usize,
    most: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Class {
    Digit,
    Letter,
    Either,
    Literal(u8),
}

/// Longest reference a mask is tried on; a longer one is text, not a reference, and would let a mask backtrack for long.
const REFERENCE_LENGTH_MAX: usize = 80;
/// Most atoms that may repeat a variable number of times: with it the work is bounded.
const VARIABLE_ATOMS_MAX: usize = 3;

impl Mask {
    pub fn parse(text: &str) -> Result<Self, String> {
        let refuse = |why: &str| format!("{text:?} is not a mask: {why}; expected something like \"INV-(#{{4,6}})\"");
        if !text.is_ascii() {
            return Err(refuse("it holds more than ASCII"));
        }
        let mut atoms: Vec<Atom> = Vec::new();
        let (mut opened, mut closed) = (None, None);
        let mut rest = text;
        while let Some(first) = rest.bytes().next() {
            rest = &rest[1..];
            match first {
                b'(' if opened.is_none() => opened = Some(atoms.len()),
                b')' if opened.is_some() && closed.is_none() => closed = Some(atoms.len()),
                b'(' | b')' => return Err(refuse("it keeps more than one part")),
                b'+' | b'{' => {
                    let (least, most, after) = repeat(first, rest).ok_or_else(|| refuse("a repetition is wrong"))?;
                    let last = atoms.last_mut().ok_or_else(|| refuse("a repetition follows nothing"))?;
                    (last.least, last.most, rest) = (least, most, after);
                }
                b'#' => atoms.push(Atom::once(Class::Digit)),
                b'@' => atoms.push(Atom::once(Class::Letter)),
                b'?' => atoms.push(Atom::once(Class::Either)),
                literal => atoms.push(Atom::once(Class::Literal(literal.to_ascii_uppercase()))),
            }
        }
        if atoms.is_empty() {
            return Err(refuse("it is empty"));
        }
        if opened.is_some() != closed.is_some() {
            return Err(refuse("a parenthesis is not closed"));
        }
        if atoms.iter().filter(|atom| atom.least != atom.most).count() > VARIABLE_ATOMS_MAX {
            return Err(refuse("more than three parts repeat a variable number of times"));
        }
        let keep = (opened.unwrap_or(0), closed.unwrap_or(atoms.len()));
        Ok(Self { text: text.to_owned(), atoms, keep })
    }

    /// The kept part of a text that the mask fits as a whole.
    pub fn extract<'a>(&self, text: &'a str) -> Option<&'a str> {
        let text = text.trim();
        if text.len() > REFERENCE_LENGTH_MAX {
            return None;
        }
        let mut ends = Vec::with_capacity(self.atoms.len());
        if !fit(&self.atoms, text.as_bytes(), 0, &mut ends) {
            return None;
        }
        let start_of = |atom: usize| if atom == 0 { Some(0) } else { ends.get(atom - 1).copied() };
        text.get(start_of(self.keep.0)?..start_of(self.keep.1)?)
    }
}

/// Least, most and what follows the repetition.
fn repeat(first: u8, rest: &str) -> Option<(usize, usize, &str)> {
    if first == b'+' {
        return Some((1, REFERENCE_LENGTH_MAX, rest));
    }
    let (inside, after) = rest.split_once('}')?;
    let (least, most) = inside.split_once(',').unwrap_or((inside, inside));
    let (least, most) = (least.parse().ok()?, most.parse().ok()?);
    (least <= most && most <= REFERENCE_LENGTH_MAX && most > 0).then_some((least, most, after))
}

/// Fits the atoms from `at` to the very end of the text, longest repetition first; `ends` receives where each atom ends.
fn fit(atoms: &[Atom], text: &[u8], at: usize, ends: &mut Vec<usize>) -> bool {
    let Some((atom, rest)) = atoms.split_first() else { return at == text.len() };
    let longest = text[at..].iter().take(atom.most).take_while(|byte| atom.class.has(**byte)).count();
    for count in (atom.least..=longest).rev() {
        ends.push(at + count);
        if fit(rest, text, at + count, ends) {
            return true;
        }
        ends.pop();
    }
    false
}

impl Atom {
    const fn once(class: Class) -> Self {
        Self { class, least: 1, most: 1 }
    }
}

impl Class {
    fn has(self, byte: u8) -> bool {
        match self {
            Self::Digit => byte.is_ascii_digit(),
            Self::Letter => byte.is_ascii_alphabetic(),
            Self::Either => byte.is_ascii_alphanumeric(),
            Self::Literal(literal) => byte.to_ascii_uppercase() == literal,
        }
    }
}

impl fmt::Debug for Mask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.text)
    }
}

impl fmt::Display for Mask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl<'de> Deserialize<'de> for Mask {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn masks_keep_what_is_in_parentheses() {
        for (mask, text, expected) in [
            ("INV-(#{4,6})", "inv-00123", Some("00123")),
            ("INV-(#{4,6})", "inv-123", None),
            ("INV-(#{4,6})", "xinv-00123", None),
            ("#+", "123", Some("123")),
            ("#+", "12A", None),
            ("@{1,3}(#{4})/#{2}", "AB1234/26", Some("1234")),
            ("(?+)-#{1,2}", "A-1-2", None),
            ("(@+#+)@+", "AB12C", Some("AB12")),
            ("#{0,2}(#{3})", "12345", Some("345")),
            ("#", "é", None),
        ] {
            assert_eq!(Mask::parse(mask).expect(mask).extract(text), expected, "{mask} on {text}");
        }
    }

    #[test]
    fn wrong_masks_are_refused() {
        for wrong in ["", "+", "#{", "#{3,2}", "(#", "#)", "(#)(#)", "#+@+#+@+#+", "é", "#{0}", "#{999}"] {
            assert!(Mask::parse(wrong).is_err(), "{wrong}");
        }
    }
}
