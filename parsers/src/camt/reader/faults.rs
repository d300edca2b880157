//! What there is to say about XML that cannot be read, or stands where it should not.

use crate::{
    Effect, Finding, FindingCode, Location, Severity, x12::output::Output, x12::segment::shown, x12::value::windows_1252,
};

use super::{CamtReader, Spot};

impl CamtReader {
    /// The root: any namespace will do, and one that is not of ISO 20022 is told.
    pub(super) fn begin_document(&mut self, spot: Spot<'_>, attributes: &str, out: &mut Output<'_>) {
        if attributes.contains("urn:iso:std:iso:20022:tech:xsd:") {
            return;
        }
        out.finding(Finding {
            code: FindingCode::OddEnvelope,
            severity: Severity::Warning,
            effect: Effect::Noted,
            message: "the root has no namespace of ISO 20022; the file was read by the names of its elements".to_owned(),
            expected: "Document with xmlns=\"urn:iso:std:iso:20022:tech:xsd:camt...\"".to_owned(),
            found: shown(attributes.trim().as_bytes()),
            location: self.here(spot).location(),
        });
    }

    /// Text between elements: something got into the file.
    pub(super) fn check_stray_text(&mut self, spot: Spot<'_>, out: &mut Output<'_>) {
        if self.stray_text || self.text.is_empty() || self.text.bytes().all(|byte| byte.is_ascii_whitespace()) {
            return;
        }
        self.stray_text = true;
        out.finding(Finding {
            code: FindingCode::TrailingData,
            severity: Severity::Warning,
            effect: Effect::Noted,
            message: "text stands between elements, where it means nothing".to_owned(),
            expected: "an element".to_owned(),
            found: shown(self.text.trim_ascii().as_bytes()),
            location: self.here(spot).location(),
        });
    }

    /// Bytes that are not UTF-8, in text; in a tag they end the reading.
    pub(super) fn foreign_bytes(&mut self, spot: Spot<'_>, out: &mut Output<'_>) {
        let bytes = spot.window.get(spot.at..spot.end).unwrap_or_default();
        if let Some(data) = bytes.strip_prefix(b"<![CDATA[").and_then(|data| data.strip_suffix(b"]]>")) {
            self.text.push_str(&windows_1252(data));
        } else if bytes.starts_with(b"<!--") || bytes.starts_with(b"<?") {
            return;
        } else if bytes.starts_with(b"<") {
            self.stop(spot, FindingCode::NotUtf8, "a tag holds bytes that are not UTF-8", "UTF-8 text", out);
            return;
        } else {
            self.text.push_str(&windows_1252(bytes));
        }
        if !self.not_utf8 && !self.declared_single_byte {
            self.not_utf8 = true;
            out.finding(Finding {
                code: FindingCode::NotUtf8,
                severity: Severity::Warning,
                effect: Effect::Noted,
                message: "text is not UTF-8 and was read as Windows-1252".to_owned(),
                expected: "UTF-8 text".to_owned(),
                found: shown(bytes),
                location: self.place(spot),
            });
        }
    }

    /// Entities can make a small file fill the memory, or read other files; statements have no use for them.
    pub(super) fn refuse_doctype(&mut self, spot: Spot<'_>, out: &mut Output<'_>) {
        self.statements = 0;
        self.stopped = true;
        let location = self.place(spot);
        out.finding(Finding {
            code: FindingCode::BadEnvelope,
            severity: Severity::Error,
            effect: Effect::FileRejected,
            message: "the file has a DOCTYPE, which can define entities; it is refused".to_owned(),
            expected: "Document".to_owned(),
            found: "<!DOCTYPE".to_owned(),
            location,
        });
    }

    pub(super) fn stop_too_long(&mut self, spot: Spot<'_>, out: &mut Output<'_>) {
        let expected = format!("tags and texts of at most {} bytes, in well-formed XML", self.limits.segment_bytes_max);
        self.stop(spot, FindingCode::LimitReached, "a tag or text is longer than allowed or never ends", &expected, out);
    }

    pub(super) fn stop_not_xml(&mut self, spot: Spot<'_>, out: &mut Output<'_>) {
        let message = "the file ends inside a tag, or is no XML from here on";
        self.stop(spot, FindingCode::UnexpectedEnd, message, "well-formed XML", out);
    }

    /// Reading ends here and the file is held: what follows is unknown.
    pub(super) fn stop(&mut self, spot: Spot<'_>, code: FindingCode, message: &str, expected: &str, out: &mut Output<'_>) {
        self.stopped = true;
        let location = self.place(spot);
        // Of this token only: what follows may not be here yet.
        let found = spot.window.get(spot.at..spot.end).unwrap_or_default();
        out.finding(Finding {
            code,
            severity: Severity::Error,
            effect: Effect::FileHeld,
            message: message.to_owned(),
            expected: expected.to_owned(),
            found: shown(found.get(..24).unwrap_or(found)),
            location,
        });
    }

    pub(super) fn end_of_file(&mut self, window: &[u8], out: &mut Output<'_>) {
        let spot = Spot { window, at: window.len(), end: window.len() };
        let location = self.place(spot);
        if !self.path.is_empty() {
            let open = self.starts.last().and_then(|from| self.open.get(*from..)).unwrap_or_default();
            out.finding(Finding {
                code: FindingCode::UnexpectedEnd,
                severity: Severity::Error,
                effect: Effect::FileHeld,
                message: format!("the file ends inside the element {}", shown(open)),
                expected: format!("</{}>", shown(open)),
                found: "the end of the file".to_owned(),
                location,
            });
        } else if self.statements == 0 && !self.unsupported {
            out.finding(Finding {
                code: FindingCode::MissingSegment,
                severity: Severity::Error,
                effect: Effect::FileRejected,
                message: "the file holds no statement, report or notification".to_owned(),
                expected: "Stmt, Rpt or Ntfctn".to_owned(),
                found: String::new(),
                location,
            });
        }
        self.check_stray_text(spot, out);
    }
}

pub(in crate::camt) fn too_many_lines(lines_max: usize, location: Location) -> Finding {
    Finding {
        code: FindingCode::LimitReached,
        severity: Severity::Error,
        effect: Effect::RecordSetAside,
        message: "a transaction has more structured remittance than allowed".to_owned(),
        expected: format!("at most {lines_max} Strd"),
        found: "more".to_owned(),
        location,
    }
}
