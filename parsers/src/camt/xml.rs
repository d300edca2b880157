//! Cuts XML into tags and texts, as far as statements need it.
//!
//! What is cut is what stands there: no entity is defined or expanded, no namespace resolved, and a DOCTYPE is named and not read.
//! Bytes are looked at sixteen at a time, and UTF-8 is checked for many tokens at once, because tokens of statements are short.

use wide::u8x16;

use crate::utf8::Utf8;

use super::element::Ends;

/// One piece of XML.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Token<'w> {
    /// `<name attributes>`, or `<name attributes/>` when closed.
    Start { name: &'w str, attributes: &'w str, closed: bool },
    /// `</name>`.
    End(&'w str),
    /// What stands between tags and references.
    Text(&'w str),
    /// What `<![CDATA[` and `]]>` enclose.
    Data(&'w str),
    /// The name in `&name;`.
    Reference(&'w str),
    /// What `<?xml` and `?>` enclose.
    Declaration(&'w str),
    /// A comment or a processing instruction.
    Aside,
    /// The beginning of `<!DOCTYPE`.
    Doctype,
    /// Complete, but not UTF-8.
    Foreign,
    /// Not complete in these bytes, or no XML.
    Broken,
}

/// Walks over a window of bytes.
#[derive(Debug)]
pub(super) struct Xml<'w> {
    text: Utf8<'w>,
    /// Position of the next token.
    at: usize,
}

impl<'w> Xml<'w> {
    /// Begins at a position.
    pub fn new(bytes: &'w [u8], at: usize) -> Self {
        Self { text: Utf8::new(bytes), at }
    }

    /// Position of the next token.
    pub fn at(&self) -> usize {
        self.at
    }

    /// The next token; nothing behind the last byte. Text that ends with the window may go on in the next.
    #[inline]
    pub fn next(&mut self) -> Option<Token<'w>> {
        let rest = self.text.bytes().get(self.at..)?;
        Some(match rest {
            [] => return None,
            [b'<', b'/', ..] => self.end_tag(rest),
            [b'<', b'!' | b'?', ..] => self.other_markup(rest),
            [b'<', _, ..] => self.start_tag(rest),
            [b'<'] => Token::Broken,
            [b'&', ..] => self.reference(rest),
            _ => self.take(text_length(rest).unwrap_or(rest.len()), Token::Text),
        })
    }

    /// The text up to `</name>` that ends before `end_max`, when nothing else stands between; otherwise nothing is taken.
    #[inline]
    pub fn leaf(&mut self, name: &str, end_max: usize) -> Option<&'w str> {
        let rest = self.text.bytes().get(self.at..)?;
        let length = text_length(rest)?;
        let (tag, behind) = rest.get(length..)?.strip_prefix(b"</")?.split_at_checked(name.len())?;
        let end = self.at.wrapping_add(length).wrapping_add(name.len()).wrapping_add(3);
        if behind.first() != Some(&b'>') || end > end_max || !is_same_name(tag, name.as_bytes()) {
            return None;
        }
        // The ends of a token are beside ASCII, so they never cut a character.
        let text = self.text.slice(self.at, self.at.wrapping_add(length))?;
        self.at = end;
        Some(text)
    }

    #[inline]
    fn start_tag(&mut self, rest: &'w [u8]) -> Token<'w> {
        let plain = name_length(rest);
        let is_plain = rest.get(plain) == Some(&b'>');
        let Some(end) = (if is_plain { Some(plain) } else { tag_length(rest) }) else { return Token::Broken };
        self.take(end.wrapping_add(1), |tag| {
            let inside = inside(tag, 1, 1);
            let (content, closed) = inside.strip_suffix('/').map_or((inside, false), |content| (content, true));
            let name = if is_plain { content.len() } else { content.bytes().position(is_blank).unwrap_or(content.len()) };
            let (name, attributes) = content.split_at_checked(name).unwrap_or((content, ""));
            Token::Start { name, attributes, closed }
        })
    }

    #[inline]
    fn end_tag(&mut self, rest: &'w [u8]) -> Token<'w> {
        match tag_length(rest) {
            None => Token::Broken,
            Some(end) => self.take(end.wrapping_add(1), |tag| Token::End(inside(tag, 2, 1).trim_ascii_end())),
        }
    }

    fn reference(&mut self, rest: &'w [u8]) -> Token<'w> {
        let name = rest.get(1..).unwrap_or_default();
        let length = memchr::memchr3(b';', b'&', b'<', name).unwrap_or(name.len());
        let is_closed = name.get(length) == Some(&b';');
        let whole = length.wrapping_add(if is_closed { 2 } else { 1 });
        self.take(whole, |text| if is_closed { Token::Reference(inside(text, 1, 1)) } else { Token::Broken })
    }

    fn other_markup(&mut self, rest: &'w [u8]) -> Token<'w> {
        let length = |from: usize, end: &[u8]| {
            let found = memchr::memmem::find(rest.get(from..)?, end)?;
            Some(found.wrapping_add(from).wrapping_add(end.len()))
        };
        let (length, token): (_, fn(&'w str) -> Token<'w>) = if rest.starts_with(b"<!--") {
            (length(4, b"-->"), |_| Token::Aside)
        } else if rest.starts_with(b"<![CDATA[") {
            (length(9, b"]]>"), |data| Token::Data(inside(data, 9, 3)))
        } else if rest.starts_with(b"<?") {
            (length(2, b"?>"), instruction)
        } else if rest.get(..9).is_some_and(|word| word.eq_ignore_ascii_case(b"<!DOCTYPE")) {
            (Some(9), |_| Token::Doctype)
        } else {
            return Token::Broken;
        };
        length.map_or(Token::Broken, |length| self.take(length, token))
    }

    /// Takes the next bytes as a token, when they are UTF-8.
    #[inline]
    fn take(&mut self, length: usize, token: impl FnOnce(&'w str) -> Token<'w>) -> Token<'w> {
        let from = self.at;
        self.at = from.wrapping_add(length);
        self.text.slice(from, self.at).map_or(Token::Foreign, token)
    }
}

/// A processing instruction, or the declaration.
fn instruction(text: &str) -> Token<'_> {
    match inside(text, 2, 2).strip_prefix("xml") {
        Some(rest) if rest.bytes().next().is_none_or(is_blank) => Token::Declaration(rest),
        _ => Token::Aside,
    }
}

/// The value of an attribute, wherever it stands among others.
pub(super) fn attribute<'t>(attributes: &'t str, name: &str) -> Option<&'t str> {
    let (_, rest) = attributes.split_once(name)?;
    let value = rest.trim_start().strip_prefix('=')?.trim_start();
    let quote = value.chars().next().filter(|quote| matches!(quote, '"' | '\''))?;
    value.get(1..)?.split(quote).next()
}

/// A text without its first and last bytes, which are ASCII.
#[inline]
fn inside(text: &str, before: usize, behind: usize) -> &str {
    text.get(before..text.len().saturating_sub(behind)).unwrap_or_default()
}

/// Whether two names are alike. Names are short: looking at their ends is faster than calling for a comparison.
#[inline]
pub(super) fn is_same_name(one: &[u8], other: &[u8]) -> bool {
    if one.len() > Ends::WHOLE_MAX { one == other } else { Ends::of(one) == Ends::of(other) }
}

#[inline]
fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
}

/// Where a text ends: at the next tag or reference.
#[inline]
fn text_length(bytes: &[u8]) -> Option<usize> {
    let (tag, reference) = (u8x16::splat(b'<'), u8x16::splat(b'&'));
    find(bytes, |block| block.simd_eq(tag) | block.simd_eq(reference), |byte| matches!(byte, b'<' | b'&'))
}

/// Where the name of a start tag ends: before `>`, a quote, a blank or another control character.
#[inline]
fn name_length(bytes: &[u8]) -> usize {
    let (end, double, single, blank) = (u8x16::splat(b'>'), u8x16::splat(b'"'), u8x16::splat(b'\''), u8x16::splat(b' '));
    let stops =
        |block: u8x16| block.simd_eq(end) | block.simd_eq(double) | block.simd_eq(single) | block.min(blank).simd_eq(block);
    find(bytes, stops, |byte| matches!(byte, b'>' | b'"' | b'\'' | ..=b' ')).unwrap_or(bytes.len())
}

/// Where the `>` of a tag stands; one in quotes belongs to a value.
fn tag_length(bytes: &[u8]) -> Option<usize> {
    let mut at = 0_usize;
    loop {
        let rest = bytes.get(at..)?;
        at = at.wrapping_add(rest.iter().position(|byte| matches!(byte, b'>' | b'"' | b'\''))?);
        match bytes.get(at)? {
            b'>' => return Some(at),
            quote => {
                let value = at.wrapping_add(1);
                at = value.wrapping_add(memchr::memchr(*quote, bytes.get(value..)?)?).wrapping_add(1);
            }
        }
    }
}

/// The first byte that is wanted; both closures say the same, of sixteen bytes and of one.
#[inline(always)]
fn find(bytes: &[u8], wanted: impl Fn(u8x16) -> u8x16, is_wanted: impl Fn(u8) -> bool) -> Option<usize> {
    let (blocks, tail) = bytes.as_chunks::<16>();
    let mut at = 0_usize;
    for block in blocks {
        let found = wanted(u8x16::new(*block)).to_bitmask();
        if found != 0 {
            return Some(at.wrapping_add(found.trailing_zeros() as usize));
        }
        at = at.wrapping_add(16);
    }
    tail.iter().position(|byte| is_wanted(*byte)).map(|found| at.wrapping_add(found))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Tokens in short, with the names of what was not XML.
    fn told(bytes: &[u8]) -> Vec<String> {
        let mut xml = Xml::new(bytes, 0);
        let mut told = Vec::new();
        while let Some(token) = xml.next() {
            told.push(match token {
                Token::Start { name, attributes, closed } => format!("<{name}|{attributes}|{closed}"),
                Token::End(name) => format!("</{name}"),
                Token::Text(text) => text.to_owned(),
                token => format!("{token:?}"),
            });
            if token == Token::Broken {
                break;
            }
        }
        told
    }

    #[test]
    fn tokens() {
        for (xml, expected) in [
            ("<a>x</a>", &["<a||false", "x", "</a"][..]),
            ("<a b='>' c=\"'>\" >", &["<a| b='>' c=\"'>\" |false"]),
            ("<a\n/><b/></c\t>", &["<a|\n|true", "<b||true", "</c"]),
            ("<n:AVeryLongNameOfAnElement>y", &["<n:AVeryLongNameOfAnElement||false", "y"]),
            ("1&lt;2&#x41;3", &["1", "Reference(\"lt\")", "2", "Reference(\"#x41\")", "3"]),
            ("&amp", &["Broken"]),
            ("&a&b;", &["Broken"]),
            ("&a<b>", &["Broken"]),
            ("<![CDATA[a]]b>]]>", &["Data(\"a]]b>\")"]),
            ("<![CDATA]]>", &["Broken"]),
            ("<!---->", &["Aside"]),
            ("<!--->", &["Broken"]),
            ("<!-- > -- -->z", &["Aside", "z"]),
            ("<?xml version='1'?><?xml-a?><??>", &["Declaration(\" version='1'\")", "Aside", "Aside"]),
            ("<?>", &["Broken"]),
            ("<!doctype a [ <!ENTITY b 'c'> ]>", &["Doctype", " a [ ", "Broken"]),
            ("<", &["Broken"]),
            ("<a b='>", &["Broken"]),
            ("a text of more than sixteen letters, ä & <b>", &["a text of more than sixteen letters, ä ", "Broken"]),
        ] {
            assert_eq!(told(xml.as_bytes()), expected, "{xml}");
        }
        assert_eq!(told(b"<a>\xe4</a>\xc3\xa4<b\xff>"), ["<a||false", "Foreign", "</a", "ä", "Foreign"]);
    }

    #[test]
    fn a_leaf_is_text_and_its_own_end_tag() {
        for (bytes, expected) in [
            (&b"12.50</Amt><"[..], Some(("12.50", 11))),
            (b"</Amt>", Some(("", 6))),
            (b"1</Amt", None),
            (b"1</Amtx>", None),
            (b"1</Amt >", None),
            (b"1&amp;2</Amt>", None),
            (b"\xe4</Amt>", None),
            (b"a text of more than sixteen letters</Amt>", None),
        ] {
            let mut xml = Xml::new(bytes, 0);
            let found = xml.leaf("Amt", 20);
            assert_eq!(found.map(|text| (text, xml.at())), expected, "{}", String::from_utf8_lossy(bytes));
            assert_eq!(found.is_none(), xml.at() == 0);
        }
    }
}
