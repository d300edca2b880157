//! Writes EDIFACT: interchanges around messages, and a REMADV from what it should be read as.

#![allow(dead_code, reason = "each test file uses its part")]

use std::fmt::Write as _;

/// An interchange in the default service characters around messages, each a type and its segments without UNH and UNT.
pub fn interchange(messages: &[(&str, &str)]) -> String {
    let mut text = "UNA:+.? 'UNB+UNOC:3+GLOBEX:14+ACME:14+261120:0600+R1'".to_owned();
    for (number, (kind, body)) in (1..).zip(messages) {
        let body: String = body.split_inclusive('\'').map(str::trim_start).collect();
        let count = body.replace("?'", "").matches('\'').count() + 2;
        write!(text, "UNH+{number}+{kind}:D:96A:UN'{body}UNT+{count}+{number}'").expect("text grows");
    }
    write!(text, "UNZ+{}+R1'", messages.len()).expect("text grows");
    text
}

/// A document paid, in minor units of a currency with two decimals.
#[derive(Clone, Debug)]
pub struct Paid {
    pub credit: bool,
    pub number: String,
    pub net: i64,
    pub discount: i64,
    /// Taken off beside the discount, with a reason of 4465.
    pub deducted: i64,
    pub order: Option<String>,
}

/// An advice to write.
#[derive(Clone, Debug)]
pub struct Remadv {
    pub number: String,
    pub payer: String,
    pub payee: String,
    pub documents: Vec<Paid>,
}

/// Service characters: component, element, decimal mark, release, terminator.
pub struct Marks(pub [char; 5]);

impl Marks {
    fn escape(&self, text: &str) -> String {
        let Self([component, element, _, release, terminator]) = self;
        let special = |c: char| [component, element, release, terminator].contains(&&c);
        text.chars().flat_map(|c| special(c).then_some(*release).into_iter().chain([c])).collect()
    }

    fn amount(&self, minor: i64) -> String {
        format!("{}{}{:02}", minor / 100, self.0[2], minor % 100)
    }

    /// A segment: elements of components, whose text is released where it must be.
    fn segment(&self, text: &mut String, elements: &[&[&str]]) {
        let Self([component, element, _, _, terminator]) = self;
        let written = elements.iter().map(|components| {
            let released: Vec<String> = components.iter().map(|value| self.escape(value)).collect();
            released.join(&component.to_string())
        });
        text.push_str(&written.collect::<Vec<_>>().join(&element.to_string()));
        text.push(*terminator);
    }

    /// One interchange with one message for each advice.
    pub fn write(&self, advices: &[Remadv]) -> String {
        let Self([component, element, decimal, release, terminator]) = self;
        let mut text = format!("UNA{component}{element}{decimal}{release} {terminator}");
        self.segment(&mut text, &[&["UNB"], &["UNOY", "3"], &["A"], &["B"], &["261120", "0600"], &["77"]]);
        for (number, advice) in (1..).zip(advices) {
            self.message(&mut text, &number.to_string(), advice);
        }
        self.segment(&mut text, &[&["UNZ"], &[&advices.len().to_string()], &["77"]]);
        text
    }

    fn message(&self, text: &mut String, reference: &str, advice: &Remadv) {
        let mut count = 0;
        let mut put = |elements: &[&[&str]]| {
            count += 1;
            self.segment(text, elements);
        };
        put(&[&["UNH"], &[reference], &["REMADV", "D", "96A", "UN"]]);
        put(&[&["BGM"], &["481"], &[&advice.number], &["9"]]);
        put(&[&["DTM"], &["137", "20261120", "102"]]);
        put(&[&["NAD"], &["PR"], &[], &[], &[&advice.payer]]);
        put(&[&["NAD"], &["PE"], &[], &[], &[&advice.payee]]);
        put(&[&["CUX"], &["2", "EUR", "11"]]);
        let mut total = 0;
        for paid in &advice.documents {
            let gross = self.amount(paid.net + paid.discount + paid.deducted);
            put(&[&["DOC"], &[if paid.credit { "381" } else { "380" }], &[&paid.number]]);
            put(&[&["MOA"], &["9", &gross]]);
            put(&[&["MOA"], &["12", &self.amount(paid.net)]]);
            if paid.discount > 0 {
                put(&[&["MOA"], &["52", &self.amount(paid.discount)]]);
            }
            if let Some(order) = &paid.order {
                put(&[&["RFF"], &["ON", order]]);
            }
            if paid.deducted > 0 {
                put(&[&["AJT"], &["3"]]);
                put(&[&["MOA"], &["165", &self.amount(paid.deducted)]]);
            }
            total += if paid.credit { -paid.net } else { paid.net };
        }
        put(&[&["UNS"], &["S"]]);
        let sign = if total < 0 { "-" } else { "" };
        put(&[&["MOA"], &["12", &format!("{sign}{}", self.amount(total.abs()))]]);
        let segments = (count + 1).to_string();
        self.segment(text, &[&["UNT"], &[&segments], &[reference]]);
    }
}
