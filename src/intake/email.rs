//! Files out of an e-mail: its attachments byte for byte as they were attached, whatever wrapped them for the journey.
//!
//! Letters are full of logos, signatures and pages for people; those are left, and so is what the letter itself says. The whole letter is
//! archived by the caller all the same.

use mail_parser::{
    Encoding, Message, MessageParser, MessagePart, MimeHeaders, PartType,
    decoders::{base64::base64_decode, quoted_printable::quoted_printable_decode},
};

/// Bytes that settle whether a file is an e-mail: headers of a long journey stand before the ones that count.
pub const HEAD_BYTES: u64 = 64 << 10;

/// A file that was attached.
#[derive(Debug)]
pub struct Attachment {
    /// Its own name below the names of the letters that were forwarded with it: `Fwd.eml!remit.csv`.
    pub name: String,
    pub bytes: Vec<u8>,
}

/// Why nothing is taken out of a letter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// An attachment is not whole, or cannot be decoded.
    Damaged { name: String, detail: &'static str },
    /// Letters in letters, deeper than allowed.
    TooDeep,
    /// More parts than allowed.
    TooMany,
}

/// Whether a file is an e-mail with parts (RFC 5322, RFC 2045): a block of headers, those of a letter and those of its content among them.
pub fn is_email(head: &[u8]) -> bool {
    let (mut is_letter, mut has_content) = (false, false);
    for (index, line) in head.split(|byte| *byte == b'\n').enumerate() {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        match line.first() {
            None => return is_letter && has_content,
            Some(b' ' | b'\t') if index > 0 => continue,
            // The first line of a mailbox.
            Some(_) if index == 0 && line.starts_with(b"From ") => continue,
            Some(_) => {}
        }
        let Some(end) = line.iter().position(|byte| *byte == b':') else { return false };
        if end == 0 || !line[..end].iter().all(u8::is_ascii_graphic) {
            return false;
        }
        match line[..end].to_ascii_lowercase().as_slice() {
            b"from" | b"received" | b"return-path" | b"message-id" => is_letter = true,
            b"content-type" | b"mime-version" => has_content = true,
            _ => {}
        }
    }
    // The headers go on behind the bytes that were looked at.
    is_letter && has_content && head.len() as u64 >= HEAD_BYTES
}

/// The files of a letter and of those forwarded in it, in their order.
pub fn attachments(bytes: &[u8], parts_max: usize, depth_max: usize) -> Result<Vec<Attachment>, Fault> {
    // Each part costs a few hundred bytes however short it is, so that a letter of nothing but boundaries is stopped before it is read.
    let boundaries = bytes.windows(3).filter(|bytes| bytes == b"\n--").count();
    if boundaries / 4 > parts_max {
        return Err(Fault::TooMany);
    }
    // The reader of e-mails gives up on some letters whose parts do not fit together by a panic; to us that is a letter that cannot be read.
    let parsed = std::panic::catch_unwind(|| MessageParser::new().with_mime_headers().parse(bytes))
        .map_err(|_| Fault::Damaged { name: "the letter".to_owned(), detail: "its parts do not fit together" })?;
    let Some(message) = parsed else { return Ok(Vec::new()) };
    let mut found = Vec::new();
    take(&message, bytes, "", depth_max, &mut found)?;
    Ok(found)
}

/// `raw` is what the places of the parts count in.
fn take(message: &Message<'_>, raw: &[u8], below: &str, depth_left: usize, found: &mut Vec<Attachment>) -> Result<(), Fault> {
    for part in &message.parts {
        let name = format!("{below}{}", name_of(part, found.len() + 1));
        match &part.body {
            PartType::Multipart(_) => {}
            PartType::Message(inner) => {
                let depth_left = depth_left.checked_sub(1).ok_or(Fault::TooDeep)?;
                // A letter that was encoded was decoded before it was read; any other one stands in the letter around it.
                let raw = if part.encoding == Encoding::None { raw } else { inner.raw_message() };
                take(inner, raw, &format!("{name}!"), depth_left, found)?;
            }
            _ if is_for_people(part) => {}
            PartType::Text(text) if part.attachment_name().is_none() && !is_attached(part) => {
                // A message that was pasted instead of attached.
                if tieout_parsers::has_envelope(text.as_bytes()) {
                    found.push(Attachment { bytes: content(raw, part, &name)?, name });
                }
            }
            _ => found.push(Attachment { bytes: content(raw, part, &name)?, name }),
        }
    }
    Ok(())
}

/// The bytes as they were attached: the reader of e-mails turns text into UTF-8, and a payment file must stay what it is.
fn content(raw: &[u8], part: &MessagePart<'_>, name: &str) -> Result<Vec<u8>, Fault> {
    let damaged = |detail| Fault::Damaged { name: name.to_owned(), detail };
    let is_letter = type_of(part).0 == "message";
    if part.is_encoding_problem && !is_letter {
        return Err(damaged("its end is missing or its encoding is broken"));
    }
    let raw = raw.get(part.offset_body as usize..part.offset_end as usize);
    let raw = raw.ok_or_else(|| damaged("its end is missing"))?;
    match part.encoding {
        Encoding::None => Ok(raw.to_vec()),
        Encoding::Base64 => base64_decode(raw).ok_or_else(|| damaged("its base64 is broken")),
        Encoding::QuotedPrintable => quoted_printable_decode(raw).ok_or_else(|| damaged("its quoted-printable is broken")),
    }
}

/// Type and subtype in lower case.
fn type_of(part: &MessagePart<'_>) -> (String, String) {
    let content = part.content_type();
    let kind = content.map_or_else(String::new, |content| content.ctype().to_ascii_lowercase());
    (kind, content.and_then(|content| content.subtype()).unwrap_or_default().to_ascii_lowercase())
}

fn is_attached(part: &MessagePart<'_>) -> bool {
    part.content_disposition().is_some_and(|disposition| disposition.ctype().eq_ignore_ascii_case("attachment"))
}

/// Logos, pages, calendars, delivery reports and signatures: no program reads money from them.
fn is_for_people(part: &MessagePart<'_>) -> bool {
    let (kind, subtype) = type_of(part);
    match kind.as_str() {
        "image" | "audio" | "video" => true,
        "text" => matches!(subtype.as_str(), "html" | "calendar" | "rtf" | "x-vcard" | "vcard"),
        "application" => matches!(subtype.as_str(), "pdf" | "pkcs7-signature" | "x-pkcs7-signature" | "pgp-signature"),
        "message" => matches!(subtype.as_str(), "delivery-status" | "disposition-notification"),
        _ => false,
    }
}

/// The last piece of the name it was given, so that no name leads out of where it is shown; else what it is.
fn name_of(part: &MessagePart<'_>, ordinal: usize) -> String {
    let given = part.attachment_name().unwrap_or_default();
    let last = given.rsplit(['/', '\\']).next().unwrap_or_default();
    let name: String = last.chars().filter(|letter| !letter.is_control()).take(200).collect();
    match (name.trim(), &part.body) {
        ("", PartType::Message(_)) => format!("message-{ordinal}.eml"),
        ("", PartType::Text(_)) => format!("text-{ordinal}.txt"),
        ("", _) => format!("attachment-{ordinal}"),
        (name, _) => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "Received: from mx.example by mail.example; Mon, 16 Mar 2026 05:45:00 +0000\r\n\tfor ar\r\nFrom: Harbor Light <ap@harbor.example>\r\n\
                        Subject: =?utf-8?q?Zahlungsavis_M=C3=A4rz?=\r\nMIME-Version: 1.0\r\n";

    /// A letter of these parts.
    fn letter(parts: &[&str]) -> String {
        let body: String = parts.iter().map(|part| format!("--cut\r\n{part}\r\n")).collect();
        format!("{HEAD}Content-Type: multipart/mixed; boundary=\"cut\"\r\n\r\n{body}--cut--\r\n")
    }

    fn check(text: &str, expected: &[(&str, &[u8])]) {
        assert!(is_email(text.as_bytes()), "{text}");
        let found = attachments(text.as_bytes(), 100, 3).expect("a whole letter");
        let found: Vec<(&str, &[u8])> = found.iter().map(|file| (file.name.as_str(), file.bytes.as_slice())).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn a_letter_whose_parts_do_not_fit_together_is_damaged() {
        let letter = "Content-Type:multipart;boundary=outer\n\n--outerContent-Type:message/rfc822\n\nContent-Type:message/rfc822\n\n\n--outer--";
        let fault = attachments(letter.as_bytes(), 100, 3).expect_err("its reader gives up");
        assert!(matches!(fault, Fault::Damaged { .. }), "{fault:?}");
    }

    #[test]
    fn attachments_come_out_byte_for_byte() {
        let words = "Content-Type: text/plain\r\n\r\nDear all,\r\nISA is attached.\r\n";
        let logo = "Content-Type: image/png; name=logo.png\r\nContent-Transfer-Encoding: base64\r\n\r\niVBORw0KGgo=\r\n";
        let base64 = "Content-Type: application/octet-stream\r\nContent-Disposition: attachment; filename=\"820.edi\"\r\n\
                      Content-Transfer-Encoding: base64\r\n\r\nSVNBKj\r\nAwKg==\r\n";
        // Latin-1 letters stay Latin-1, whatever the charset says.
        let quoted = "Content-Type: text/csv; charset=utf-8;\r\n name*=utf-8''M%C3%A4rz.csv\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n\
                      Zahler;Betrag=\r\n;M=FCller\r\nx=3Dy";
        let encoded = "Content-Type: text/csv\r\nContent-Disposition: attachment; filename=\"=?utf-8?q?M=C3=A4rz?= 2.csv\"\r\n\r\na,b\r\n1,2";
        check(
            &letter(&[words, logo, base64, quoted, encoded]),
            &[("820.edi", b"ISA*00*"), ("März.csv", b"Zahler;Betrag;M\xfcller\r\nx=y"), ("März 2.csv", b"a,b\r\n1,2")],
        );
        let path = "Content-Type: text/csv; name=\"../../etc/a.csv\"\r\n\r\na,b";
        check(&letter(&[path]), &[("a.csv", b"a,b")]);
    }

    #[test]
    fn letters_in_letters_keep_their_path() {
        let csv = "Content-Type: text/csv; name=remit.csv\r\n\r\na,b\r\n1,2";
        let inner = letter(&[csv]);
        let forwarded =
            format!("Content-Type: message/rfc822\r\nContent-Disposition: attachment; filename=Fwd.eml\r\n\r\n{inner}");
        check(
            &letter(&[&forwarded]).replacen("cut", "outer", 2).replacen("--cut--\r\n\r\n--cut--", "--cut--\r\n\r\n--outer--", 1),
            &[("Fwd.eml!remit.csv", b"a,b\r\n1,2")],
        );
    }

    #[test]
    fn what_is_cut_off_is_never_taken() {
        let csv = "Content-Type: text/csv; name=remit.csv\r\n\r\nInvoice,Net\r\nA,1.00\r\nB,2.00\r\nC,3.00";
        let whole = letter(&[csv]);
        for end in 0..whole.len() {
            match attachments(&whole.as_bytes()[..end], 100, 3) {
                Ok(found) => assert!(found.is_empty() || found[0].bytes.ends_with(b"C,3.00"), "cut at {end}: {found:?}"),
                Err(fault) => assert!(matches!(fault, Fault::Damaged { .. }), "cut at {end}"),
            }
        }
        let broken = letter(&["Content-Type: application/edi; name=a\r\nContent-Transfer-Encoding: base64\r\n\r\nSV*BKj\r\n"]);
        assert!(matches!(attachments(broken.as_bytes(), 100, 3), Err(Fault::Damaged { .. })));
        let many = letter(&["x"; 500]);
        assert_eq!(attachments(many.as_bytes(), 100, 3).err(), Some(Fault::TooMany));
    }

    proptest::proptest! {
        /// Letters come from anybody: damage of any kind gives files, nothing, or a fault.
        #[test]
        fn damaged_letters_are_taken_apart_or_refused(at in 0_usize..4_000, bytes in proptest::collection::vec(0_u8.., 0..40), cut in 0_usize..4_000) {
            let inner = letter(&["Content-Type: text/csv; name=a.csv\r\nContent-Transfer-Encoding: base64\r\n\r\nYSxi"]);
            let outer = letter(&[
                &format!("Content-Type: message/rfc822\r\n\r\n{inner}"),
                "Content-Type: text/csv; name*0*=utf-8''b%; name*1=.csv\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\na=3D=\r\nb",
            ]);
            let mut damaged = outer.replacen("cut", "outer", 2).into_bytes();
            let at = at % damaged.len();
            let end = (at + cut % 9).min(damaged.len());
            damaged.splice(at..end, bytes);
            damaged.truncate(damaged.len() - cut % damaged.len() / 4);
            let _ = attachments(&damaged, 100, 3);
        }
    }

    #[test]
    fn other_files_are_no_letters() {
        for text in [
            "ISA*00*          *00*",
            ":20:START\n:25:1/2\n",
            "From,To,MIME-Version: 1.0\nContent-Type: x\n\n",
            "From: a\nSubject: no parts\n\nContent-Type: text/plain\n",
            "Date,Description,Amount\n2026-01-01,From: x,1\n",
            "",
        ] {
            assert!(!is_email(text.as_bytes()), "{text}");
        }
    }
}
