//! Walks over the XML of one part: elements by their local name, text with its references resolved. Document types are refused unread.

use std::io::{self, BufRead};

use quick_xml::{
    Reader, XmlVersion,
    events::{BytesStart, Event},
};

use super::container::Fault;

/// What stands next in a part.
pub(super) enum Node<'a> {
    Start(&'a BytesStart<'a>),
    /// The end of an element of this local name.
    End(&'a str),
    Text(&'a str),
}

/// Hands every node to `take` until it answers false or the part ends.
pub(super) fn walk(part: impl BufRead, take: &mut dyn FnMut(Node<'_>) -> bool) -> Result<(), Fault> {
    let mut xml = Reader::from_reader(part);
    let mut buffer = Vec::new();
    loop {
        buffer.clear();
        let goes_on = match xml.read_event_into(&mut buffer).map_err(fault)? {
            Event::Start(start) => take(Node::Start(&start)),
            Event::Empty(start) => take(Node::Start(&start)) && take(Node::End(start.local_name().as_ref())),
            Event::End(end) => take(Node::End(end.local_name().as_ref())),
            Event::Text(text) => take(Node::Text(&text.xml10_content())),
            Event::CData(text) => take(Node::Text(&text.xml10_content())),
            Event::GeneralRef(name) => {
                let letter = match name.resolve_char_ref().map_err(fault)? {
                    Some(letter) => Some(letter),
                    None => predefined(&name.xml10_content()),
                };
                let mut text = [0; 4];
                match letter {
                    Some(letter) => take(Node::Text(letter.encode_utf8(&mut text))),
                    None => return Err(Fault::damaged("it uses an entity that XML does not define")),
                }
            }
            // Entities of its own could make a part of any size out of a few bytes.
            Event::DocType(_) => return Err(Fault::damaged("it declares a document type, as no spreadsheet does")),
            Event::Eof => return Ok(()),
            Event::Decl(_) | Event::PI(_) | Event::Comment(_) => true,
        };
        if !goes_on {
            return Ok(());
        }
    }
}

fn predefined(name: &str) -> Option<char> {
    match name {
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        _ => None,
    }
}

fn fault(error: quick_xml::Error) -> Fault {
    match &error {
        quick_xml::Error::Io(inner) if inner.kind() == io::ErrorKind::FileTooLarge => Fault::TooLarge,
        // The text of an error may quote the file, and so an account number.
        quick_xml::Error::Io(inner) => Fault::damaged(inner),
        _ => Fault::damaged("its XML is broken"),
    }
}

/// The value of an attribute by its local name.
pub(super) fn attribute(start: &BytesStart<'_>, name: &str) -> Option<String> {
    let found =
        start.attributes().with_checks(false).filter_map(Result::ok).find(|held| held.key.local_name().as_ref() == name)?;
    found.normalized_value(XmlVersion::Implicit1_0).ok().map(|value| value.into_owned())
}

/// Whether an attribute says yes.
pub(super) fn is_on(start: &BytesStart<'_>, name: &str) -> bool {
    matches!(attribute(start, name).as_deref(), Some("1" | "true" | "on"))
}
