//! The character set that UNB names: UNOA to UNOY.

use std::borrow::Cow;

use crate::{Text, x12::value::windows_1252};

/// How bytes outside ASCII are meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Charset {
    /// UNOA and UNOB, and what is not known: no byte outside ASCII.
    Ascii,
    /// UNOC, ISO 8859-1.
    Latin1,
    /// UNOD, UNOE, UNOF, UNOK and UNOL: another part of ISO 8859, given by its upper half.
    Other(&'static str),
    /// UNOW and UNOY, ISO 10646.
    Utf8,
}

/// The upper halves from 0xA0 on; U+FFFD where nothing is assigned.
const LATIN_2: &str =
    "\u{a0}Ą˘Ł¤ĽŚ§¨ŠŞŤŹ\u{ad}ŽŻ°ą˛ł´ľśˇ¸šşťź˝žżŔÁÂĂÄĹĆÇČÉĘËĚÍÎĎĐŃŇÓÔŐÖ×ŘŮÚŰÜÝŢßŕáâăäĺćçčéęëěíîďđńňóôőö÷řůúűüýţ˙";
const CYRILLIC: &str =
    "\u{a0}ЁЂЃЄЅІЇЈЉЊЋЌ\u{ad}ЎЏАБВГДЕЖЗИЙКЛМНОПРСТУФХЦЧШЩЪЫЬЭЮЯабвгдежзийклмнопрстуфхцчшщъыьэюя№ёђѓєѕіїјљњћќ§ўџ";
const GREEK: &str = "\u{a0}‘’£€₯¦§¨©ͺ«¬\u{ad}\u{fffd}―°±²³΄΅Ά·ΈΉΊ»Ό½ΎΏΐΑΒΓΔΕΖΗΘΙΚΛΜΝΞΟΠΡ\u{fffd}ΣΤΥΦΧΨΩΪΫάέήίΰαβγδεζηθικλμνξοπρςστυφχψωϊϋόύώ\u{fffd}";
const LATIN_5: &str =
    "\u{a0}¡¢£¤¥¦§¨©ª«¬\u{ad}®¯°±²³´µ¶·¸¹º»¼½¾¿ÀÁÂÃÄÅÆÇÈÉÊËÌÍÎÏĞÑÒÓÔÕÖ×ØÙÚÛÜİŞßàáâãäåæçèéêëìíîïğñòóôõö÷øùúûüışÿ";
const LATIN_9: &str =
    "\u{a0}¡¢£€¥Š§š©ª«¬\u{ad}®¯°±²³Žµ¶·ž¹º»ŒœŸ¿ÀÁÂÃÄÅÆÇÈÉÊËÌÍÎÏÐÑÒÓÔÕÖ×ØÙÚÛÜÝÞßàáâãäåæçèéêëìíîïðñòóôõö÷øùúûüýþÿ";

impl Charset {
    /// By the syntax identifier (0001).
    pub fn of(identifier: &str) -> Self {
        match identifier {
            "UNOC" => Self::Latin1,
            "UNOD" => Self::Other(LATIN_2),
            "UNOE" => Self::Other(CYRILLIC),
            "UNOF" => Self::Other(GREEK),
            "UNOK" => Self::Other(LATIN_5),
            "UNOL" => Self::Other(LATIN_9),
            "UNOW" | "UNOY" => Self::Utf8,
            _ => Self::Ascii,
        }
    }

    /// Whether bytes that are not UTF-8 are in order.
    pub fn has_single_bytes(self) -> bool {
        matches!(self, Self::Latin1 | Self::Other(_))
    }

    /// Bytes as text. What is UTF-8 is read as that: many senders write it whatever UNB says.
    pub fn decode(self, bytes: Cow<'_, [u8]>) -> Text<'_> {
        match bytes {
            Cow::Borrowed(bytes) => match std::str::from_utf8(bytes) {
                Ok(text) => Text::Borrowed(text),
                Err(_) => Text::Owned(self.decode_single(bytes)),
            },
            Cow::Owned(bytes) => {
                Text::Owned(String::from_utf8(bytes).unwrap_or_else(|error| self.decode_single(error.as_bytes())))
            }
        }
    }

    fn decode_single(self, bytes: &[u8]) -> String {
        let Self::Other(upper) = self else { return windows_1252(bytes) };
        let decode = |byte: &u8| match byte {
            0xa0.. => upper.chars().nth(usize::from(byte.wrapping_sub(0xa0))).unwrap_or('\u{fffd}'),
            0x80..=0x9f => '\u{fffd}',
            _ => char::from(*byte),
        };
        bytes.iter().map(decode).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_character_set_has_its_upper_half() {
        for (identifier, bytes, expected) in [
            ("UNOA", &b"ACME"[..], "ACME"),
            ("UNOC", b"M\xfcller", "Müller"),
            ("UNOC", "Müller".as_bytes(), "Müller"),
            ("UNOD", b"\xa3\xf3d\xbc", "Łódź"),
            ("UNOE", b"\xbc\xde\xe1\xda\xd2\xd0", "Москва"),
            ("UNOF", b"\xc1\xe8\xde\xed\xe1", "Αθήνα"),
            ("UNOK", b"\xddzmir", "İzmir"),
            ("UNOL", b"5 \xa4", "5 €"),
            ("UNOW", "Łódź".as_bytes(), "Łódź"),
            ("UNOX", b"M\xfcller", "Müller"),
        ] {
            assert_eq!(Charset::of(identifier).decode(Cow::Borrowed(bytes)), expected, "{identifier}");
        }
        for upper in [LATIN_2, CYRILLIC, GREEK, LATIN_5, LATIN_9] {
            assert_eq!(upper.chars().count(), 96);
        }
    }
}
