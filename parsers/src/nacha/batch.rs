//! Records 5 and 8: who sends a batch of entries, and what its control claims.

use chrono::NaiveDate;

use crate::{
    Effect, FindingCode, Party, Severity,
    utf8::Utf8,
    x12::{output::Output, value},
};

use super::{
    code::Form,
    layout::{Field, batch_control, batch_header as at},
    line::{Line, Span},
    total::Totals,
};

/// A batch in hand.
#[derive(Debug, Default)]
pub(super) struct Batch {
    /// The header record, as long as the window holds it, so that texts can be borrowed.
    pub header: Option<Span>,
    /// Who sends the batch, for when the header is no longer in the window.
    originator: Party<'static>,
    name_runs_on: bool,
    pub form: Form,
    /// Entries of an IATCOR batch, and of others that only say something.
    pub value_date: Option<NaiveDate>,
    /// Company Entry Description is REVERSAL: the entries take back earlier ones.
    pub reverses: bool,
    service_class: Vec<u8>,
    number: Vec<u8>,
    pub totals: Totals,
    /// Trace number of the entry before.
    pub trace: Option<u64>,
}

impl Batch {
    /// Reads record 5. `filed` is the creation date of the file, which gives the settlement day its year.
    pub fn open(line: &Line<'_>, span: Span, filed: Option<NaiveDate>, out: &mut Output<'_>) -> Self {
        let class = line.value(&at::STANDARD_ENTRY_CLASS);
        let form = Form::of(&class.to_ascii_uppercase());
        match form {
            None => out.finding(line.finding(
                &at::STANDARD_ENTRY_CLASS,
                FindingCode::BadCode,
                Effect::Noted,
                "the entry class is none we know; its entries are read like CCD".to_owned(),
                "CCD, CTX, PPD, IAT, WEB, TEL, CIE or another class of the rules",
            )),
            Some(_) if class.iter().any(u8::is_ascii_lowercase) => out.finding(line.finding(
                &at::STANDARD_ENTRY_CLASS,
                FindingCode::BadCode,
                Effect::Noted,
                "the entry class is written in small letters".to_owned(),
                "capital letters",
            )),
            Some(_) => {}
        }
        let service_class = line.raw(&at::SERVICE_CLASS_CODE).to_vec();
        if !matches!(service_class.as_slice(), b"200" | b"220" | b"225" | b"280") {
            let message = "the service class is none we know".to_owned();
            let code = FindingCode::BadCode;
            out.finding(line.finding(&at::SERVICE_CLASS_CODE, code, Effect::Noted, message, "200, 220, 225 or 280"));
        }
        let form = match form.unwrap_or_default() {
            // A notification of change about international entries.
            Form::Message if line.value(&at::COMPANY_NAME).eq_ignore_ascii_case(b"IATCOR") => Form::Iat,
            form => form,
        };
        if form != Form::Iat && line.value(&at::COMPANY_NAME).iter().all(|byte| *byte == b'0') {
            let message = "the batch does not name its company".to_owned();
            let code = FindingCode::MissingElement;
            out.finding(line.finding(&at::COMPANY_NAME, code, Effect::Noted, message, "a company name"));
        }
        let name_runs_on = form != Form::Iat && name_runs_on(line);
        let originator = party(line, name_runs_on, form);
        Self {
            header: Some(span),
            originator: originator.into_owned(),
            name_runs_on,
            form,
            value_date: value_date(line, form, filed, out),
            reverses: line.value(&at::COMPANY_ENTRY_DESCRIPTION).eq_ignore_ascii_case(b"REVERSAL"),
            service_class,
            number: line.raw(&at::BATCH_NUMBER).to_vec(),
            totals: Totals::default(),
            trace: None,
        }
    }

    /// Who sends the entries: company name, company identification and originating bank.
    pub fn originator<'w>(&self, text: &mut Utf8<'w>) -> Party<'w> {
        match &self.header {
            Some(span) => party(&span.line_of_texts(text, 0), self.name_runs_on, self.form),
            None => self.originator.clone(),
        }
    }

    /// Compares with record 8.
    pub fn close(&self, line: &Line<'_>, out: &mut Output<'_>) {
        self.totals.compare_batch(line, self.form, out);
        if line.raw(&batch_control::BATCH_NUMBER) != self.number {
            let expected = String::from_utf8_lossy(&self.number).into_owned();
            let message = "the batch control has another batch number than the batch header".to_owned();
            let code = FindingCode::ControlNumberMismatch;
            out.finding(line.finding(&batch_control::BATCH_NUMBER, code, Effect::FileHeld, message, &expected));
        }
        if line.raw(&batch_control::SERVICE_CLASS_CODE) != self.service_class {
            self.differs(line, &batch_control::SERVICE_CLASS_CODE, &self.service_class, "service class", out);
        }
        let bank = self.originator.bank.as_deref().unwrap_or_default().as_bytes();
        if self.form != Form::Iat && line.value(&batch_control::ORIGINATING_DFI) != bank {
            self.differs(line, &batch_control::ORIGINATING_DFI, bank, "originating bank", out);
        }
        let company = self.originator.id.as_deref().unwrap_or_default().as_bytes();
        let claimed = line.value(&batch_control::COMPANY_IDENTIFICATION);
        if !matches!(self.form, Form::Iat | Form::Adv) && !claimed.is_empty() && claimed != company {
            self.differs(line, &batch_control::COMPANY_IDENTIFICATION, company, "company identification", out);
        }
    }

    fn differs(&self, line: &Line<'_>, field: &Field, expected: &[u8], what: &str, out: &mut Output<'_>) {
        let message = format!("the batch control has another {what} than the batch header");
        let expected = String::from_utf8_lossy(expected).into_owned();
        out.finding(line.finding(field, FindingCode::ControlNumberMismatch, Effect::Noted, message, &expected));
    }
}

/// A long company name runs on in the discretionary data: no more than one blank lies between the two.
fn name_runs_on(line: &Line<'_>) -> bool {
    let name = line.raw(&at::COMPANY_NAME);
    let rest = line.raw(&at::COMPANY_DISCRETIONARY_DATA);
    let before = name.iter().rev().take_while(|byte| **byte == b' ').count();
    let behind = rest.iter().take_while(|byte| **byte == b' ').count();
    !name.trim_ascii().is_empty() && behind < rest.len() && before.saturating_add(behind) <= 1
}

fn party<'w>(line: &Line<'w>, name_runs_on: bool, form: Form) -> Party<'w> {
    let name = match form {
        // The name stands in the addenda.
        Form::Iat => None,
        _ if name_runs_on => line.text(&at::COMPANY_NAME_LONG),
        _ => line.text(&at::COMPANY_NAME),
    };
    let (id, bank) = (line.text(&at::COMPANY_IDENTIFICATION), line.text(&at::ORIGINATING_DFI));
    Party { name, id, bank, account: None }
}

/// Effective Entry Date, else the settlement day that the operator filled in.
fn value_date(line: &Line<'_>, form: Form, filed: Option<NaiveDate>, out: &mut Output<'_>) -> Option<NaiveDate> {
    let effective = line.value(&at::EFFECTIVE_ENTRY_DATE);
    let blank = effective.iter().all(|byte| *byte == b'0');
    if let Some((date, _)) = value::date(effective).filter(|_| !blank) {
        return Some(date);
    }
    if !blank && form != Form::Message {
        let message = "the effective entry date is no date".to_owned();
        let mut finding = line.finding(&at::EFFECTIVE_ENTRY_DATE, FindingCode::BadDate, Effect::Noted, message, "YYMMDD");
        finding.severity = Severity::Warning;
        out.finding(finding);
    }
    settlement_date(line.number(&at::SETTLEMENT_DATE)?, filed?)
}

/// The day of the year nearest to the day the file was made.
fn settlement_date(day: u64, filed: NaiveDate) -> Option<NaiveDate> {
    use chrono::Datelike;
    let day = u32::try_from(day).ok()?;
    let years = [filed.year(), filed.year().checked_add(1)?, filed.year().checked_sub(1)?];
    let dates = years.into_iter().filter_map(|year| NaiveDate::from_yo_opt(year, day));
    dates.min_by_key(|date| date.signed_duration_since(filed).num_days().unsigned_abs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settlement_days_take_the_nearest_year() {
        let date = |text: &str| text.parse::<NaiveDate>().expect("a date");
        for (day, filed, expected) in [
            (2, "2025-12-31", Some("2026-01-02")),
            (365, "2026-01-02", Some("2025-12-31")),
            (60, "2026-03-01", Some("2026-03-01")),
            (0, "2026-03-01", None),
            (400, "2026-03-01", None),
        ] {
            assert_eq!(settlement_date(day, date(filed)), expected.map(date), "{day} {filed}");
        }
    }
}
