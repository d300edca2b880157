//! Builds workbooks part by part, so that tests say what stands in the file and not what another library makes of it.

#![allow(dead_code, reason = "each test file uses its part")]

use std::{
    fmt::Write as _,
    io::{Cursor, Write as _},
};

use zip::{ZipWriter, write::SimpleFileOptions};

/// A workbook to be.
#[derive(Default)]
pub struct Book {
    pub sheets: Vec<(String, &'static str, String)>,
    pub strings: Vec<String>,
    /// Days count from 1904.
    pub epoch_1904: bool,
}

impl Book {
    /// Adds a sheet. A cell is `s:` shared text, `i:` inline text, `n:` a number, `d:` a number shown as a day, `t:` a day as text, `f:` a
    /// formula with the number it came to, `e:` an error, or nothing.
    pub fn sheet(mut self, name: &str, state: &'static str, rows: &[&[&str]]) -> Self {
        let mut xml = String::new();
        for (row, cells) in (1..).zip(rows) {
            write!(xml, "<row r=\"{row}\">").expect("text grows");
            for (column, cell) in (b'A'..).zip(cells.iter()) {
                let Some((kind, value)) = cell.split_once(':') else { continue };
                let place = format!("r=\"{}{row}\"", char::from(column));
                let value = value.replace('&', "&amp;").replace('<', "&lt;");
                let told = match kind {
                    "s" => {
                        self.strings.push(value);
                        format!("<c {place} t=\"s\"><v>{}</v></c>", self.strings.len() - 1)
                    }
                    "i" => format!("<c {place} t=\"inlineStr\"><is><t>{value}</t></is></c>"),
                    "n" => format!("<c {place}><v>{value}</v></c>"),
                    "d" => format!("<c {place} s=\"1\"><v>{value}</v></c>"),
                    "t" => format!("<c {place} t=\"d\"><v>{value}</v></c>"),
                    "f" => format!("<c {place}><f>SUM(A1:B2)</f><v>{value}</v></c>"),
                    "e" => format!("<c {place} t=\"e\"><v>{value}</v></c>"),
                    other => panic!("no kind of cell is called {other}"),
                };
                xml.push_str(&told);
            }
            xml.push_str("</row>");
        }
        self.sheets.push((name.to_owned(), state, xml));
        self
    }

    /// The bytes of the file; the same every time.
    pub fn bytes(&self) -> Vec<u8> {
        let main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
        let office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
        let (mut sheets, mut links, mut parts) = (String::new(), String::new(), Vec::new());
        for (number, (name, state, rows)) in (1..).zip(&self.sheets) {
            write!(sheets, "<sheet name=\"{name}\" sheetId=\"{number}\" state=\"{state}\" r:id=\"rId{number}\"/>").expect("text");
            write!(
                links,
                "<Relationship Id=\"rId{number}\" Type=\"{office}/worksheet\" Target=\"worksheets/sheet{number}.xml\"/>"
            )
            .expect("text");
            // The range claims far more than there is.
            let sheet = format!(
                "<worksheet xmlns=\"{main}\"><dimension ref=\"A1:XFD1048576\"/><sheetData>{rows}</sheetData></worksheet>"
            );
            parts.push((format!("xl/worksheets/sheet{number}.xml"), sheet));
        }
        let epoch = u8::from(self.epoch_1904);
        let strings: String = self.strings.iter().map(|text| format!("<si><r><t>{text}</t></r></si>")).collect();
        parts.extend([
            ("[Content_Types].xml".to_owned(), "<Types/>".to_owned()),
            (
                "_rels/.rels".to_owned(),
                format!("<Relationships><Relationship Id=\"a\" Type=\"{office}/officeDocument\" Target=\"/xl/workbook.xml\"/></Relationships>"),
            ),
            (
                "xl/workbook.xml".to_owned(),
                format!("<workbook xmlns=\"{main}\" xmlns:r=\"{office}\"><workbookPr date1904=\"{epoch}\"/><sheets>{sheets}</sheets></workbook>"),
            ),
            (
                "xl/_rels/workbook.xml.rels".to_owned(),
                format!(
                    "<Relationships>{links}<Relationship Id=\"x\" Type=\"{office}/styles\" Target=\"styles.xml\"/><Relationship Id=\"y\" \
                     Type=\"{office}/sharedStrings\" Target=\"sharedStrings.xml\"/></Relationships>"
                ),
            ),
            (
                "xl/styles.xml".to_owned(),
                "<styleSheet><numFmts><numFmt numFmtId=\"164\" formatCode=\"dd\\.mm\\.yyyy\"/></numFmts><cellXfs><xf numFmtId=\"0\"/>\
                 <xf numFmtId=\"164\"/></cellXfs></styleSheet>"
                    .to_owned(),
            ),
            ("xl/sharedStrings.xml".to_owned(), format!("<sst xmlns=\"{main}\">{strings}</sst>")),
        ]);
        package(&parts)
    }
}

/// A zip of these parts, without times, so that it is the same every time.
pub fn package(parts: &[(String, String)]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in parts {
        zip.start_file(name.as_str(), SimpleFileOptions::default()).expect("a part");
        zip.write_all(content.as_bytes()).expect("bytes");
    }
    zip.finish().expect("a package").into_inner()
}
