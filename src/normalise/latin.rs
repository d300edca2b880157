//! Latin letters without their accents, as bank systems write them.

/// Upper case with accents removed; letters of other scripts stay as they are.
pub fn upper_ascii(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_ascii() {
            out.push(c.to_ascii_uppercase());
        } else if let Some(base) = base_letters(c) {
            out.push_str(base);
        } else {
            out.extend(c.to_uppercase());
        }
    }
    out
}

/// The plain letters a bank writes for an accented one (Latin-1 and Latin Extended-A).
fn base_letters(c: char) -> Option<&'static str> {
    Some(match c {
        'À'..='Å' | 'à'..='å' | 'Ā'..='ą' => "A",
        'Æ' | 'æ' => "AE",
        'Ç' | 'ç' | 'Ć'..='č' => "C",
        'È'..='Ë' | 'è'..='ë' | 'Ē'..='ě' => "E",
        'Ì'..='Ï' | 'ì'..='ï' | 'Ĩ'..='ı' => "I",
        'Ð' | 'ð' | 'Ď'..='đ' => "D",
        'Ñ' | 'ñ' | 'Ń'..='ň' => "N",
        'Ò'..='Ö' | 'Ø' | 'ò'..='ö' | 'ø' | 'Ō'..='ő' => "O",
        'Œ' | 'œ' => "OE",
        'Ù'..='Ü' | 'ù'..='ü' | 'Ũ'..='ų' => "U",
        'Ý' | 'ý' | 'ÿ' | 'Ŷ'..='Ÿ' => "Y",
        'ß' => "SS",
        'Ś'..='š' => "S",
        'Ţ'..='ŧ' => "T",
        'Ŕ'..='ř' => "R",
        'Ĺ'..='ł' => "L",
        'Ź'..='ž' => "Z",
        'Ĝ'..='ģ' => "G",
        'Ĥ'..='ħ' => "H",
        'Ĵ' | 'ĵ' => "J",
        'Ķ'..='ĸ' => "K",
        'Ŵ' | 'ŵ' => "W",
        'Þ' | 'þ' => "TH",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accents_fall_as_on_a_bank_statement() {
        for (written, expected) in [
            ("Müller", "MULLER"),
            ("Größe", "GROSSE"),
            ("Øst", "OST"),
            ("Lefèvre", "LEFEVRE"),
            ("Łódź", "LODZ"),
            ("株式", "株式"),
        ] {
            assert_eq!(upper_ascii(written), expected);
        }
    }
}
