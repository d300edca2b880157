//! The files that a bank would drop about one account on one day, written from a list of receipts, for tests of linking.
//!
//! The account is 7700311904 at 061104204, seller KMF of the sample ledger; its lockbox 911904 is paid into it.

#![allow(dead_code, reason = "each test uses its own part of this module")]

/// One receipt as the world has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Receipt {
    pub cents: i64,
    pub payer: &'static str,
    /// Number of the bank or clearing house, unique. For a cheque its own number.
    pub trace: u64,
}

pub const fn receipt(cents: i64, payer: &'static str, trace: u64) -> Receipt {
    Receipt { cents, payer, trace }
}

pub const ACCOUNT: &str = "7700311904";
const BANK: &str = "061104204";

fn sum(receipts: &[Receipt]) -> i64 {
    receipts.iter().map(|receipt| receipt.cents).sum()
}

/// Trace of an ACH entry: originating bank and number.
pub fn ach_trace(trace: u64) -> String {
    format!("06310001{trace:07}")
}

/// How the lines of a BAI2 report name what they tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Names {
    /// Bank reference is the trace of the entry.
    Trace,
    /// A number of the bank's own, and the trace in the text.
    OwnNumber,
    /// Nothing but the payer.
    Nothing,
}

/// A BAI2 line.
#[derive(Clone, Debug)]
pub struct Line {
    code: u16,
    cents: i64,
    reference: String,
    texts: Vec<String>,
}

impl Line {
    pub fn ach(receipt: &Receipt, names: Names) -> Self {
        let mut texts = vec![format!("COMPANY NAME:{}", receipt.payer)];
        let reference = match names {
            Names::Trace => ach_trace(receipt.trace),
            Names::OwnNumber => {
                texts.push(format!("TRACE:{}", ach_trace(receipt.trace)));
                format!("9{:09}", receipt.trace * 7)
            }
            Names::Nothing => String::new(),
        };
        Self { code: 165, cents: receipt.cents, reference, texts }
    }

    /// One credit for all entries of a company.
    pub fn ach_batch(company: &str, receipts: &[Receipt]) -> Self {
        Self { code: 142, cents: sum(receipts), reference: String::new(), texts: vec![format!("COMPANY NAME:{company}")] }
    }

    /// The entry goes back; the customer reference is its trace.
    pub fn ach_return(receipt: &Receipt) -> Self {
        Self {
            code: 557,
            cents: receipt.cents,
            reference: format!(",{}", ach_trace(receipt.trace)),
            texts: vec!["REASON:R01".to_owned()],
        }
    }

    /// A cheque that bounced, under the number of the cheque.
    pub fn cheque_return(receipt: &Receipt) -> Self {
        Self { code: 555, cents: receipt.cents, reference: String::new(), texts: Vec::new() }.customer(receipt.trace)
    }

    /// The same line with a number that the bank gave it.
    pub fn numbered(mut self, number: &str) -> Self {
        self.reference.insert_str(0, number);
        self
    }

    pub fn lockbox_deposit(receipts: &[Receipt]) -> Self {
        Self { code: 115, cents: sum(receipts), reference: String::new(), texts: Vec::new() }
    }

    pub fn lockbox_item(receipt: &Receipt) -> Self {
        Self { code: 116, cents: receipt.cents, reference: String::new(), texts: Vec::new() }.customer(receipt.trace)
    }

    fn customer(mut self, number: u64) -> Self {
        self.reference = format!(",{number}");
        self
    }
}

/// A BAI2 report of the account: `final_day` or of the same day. `date` is YYMMDD, `id` the number of the file.
pub fn bai2(date: &str, id: u32, final_day: bool, lines: &[Line]) -> String {
    bai2_of(ACCOUNT, date, id, final_day, lines)
}

pub fn bai2_of(account: &str, date: &str, id: u32, final_day: bool, lines: &[Line]) -> String {
    let modifier = if final_day { 2 } else { 3 };
    let mut text =
        format!("01,{BANK},KMF,{date},0415,{id},,,2/\n02,KMF,{BANK},1,{date},2359,USD,{modifier}/\n03,{account},USD,,,,/\n");
    let mut records = 1;
    for Line { code, cents, reference, texts } in lines {
        let references = if reference.starts_with(',') { reference.clone() } else { format!("{reference},") };
        text.push_str(&format!("16,{code},{cents},Z,{references},CREDIT\n"));
        texts.iter().for_each(|more| text.push_str(&format!("88,{more}\n")));
        records += 1 + texts.len();
    }
    let total: i64 = lines.iter().map(|line| line.cents).sum();
    text + &format!("49,{total},{}/\n98,{total},1,{}/\n99,{total},1,{}/\n", records + 1, records + 3, records + 5)
}

/// A lockbox file with one batch for each list of cheques.
pub fn lockbox(date: &str, id: u32, batches: &[&[Receipt]]) -> String {
    let mut lines = vec![
        format!("{:<80}", format!("101{:<10}{BANK:<10}{date}{:04}", "KMF", 600 + id)),
        format!("{:<80}", format!("2{:<10}{BANK:<20}400080008{:02}", "KMF", 2)),
    ];
    for (batch, number) in batches.iter().zip(1..) {
        lines.push(format!("{:<80}", format!("5{number:03}0000911904{date}{:<10}{BANK:<10}", "KMF")));
        for (cheque, item) in batch.iter().zip(1..) {
            let Receipt { cents, trace, .. } = cheque;
            lines.push(format!("{:<80}", format!("6{number:03}{item:03}{cents:010}083359707{:010}{trace:010}", 52_177 + trace)));
        }
        lines.push(format!("{:<80}", format!("7{number:03}0000911904{date}{:03}{:010}", batch.len(), sum(batch))));
    }
    let checks: usize = batches.iter().map(|batch| batch.len()).sum();
    let total: i64 = batches.iter().map(|batch| sum(batch)).sum();
    lines.push(format!("{:<80}", format!("89990000911904{date}{checks:04}{total:010}")));
    lines.push(format!("{:<80}", format!("9{:06}", lines.len() + 1)));
    lines.join("\n") + "\n"
}

/// A NACHA file with one CCD batch for each run of one payer.
pub fn nacha(date: &str, id: char, receipts: &[Receipt]) -> String {
    let mut lines =
        vec![format!("101 {BANK} 061000146{date}0600{id}094101{:<23}{:<23}{:<8}", "KESTREL MOTOR FREIGHT B", "ACH OPERATOR", "")];
    let (mut count, mut hash, mut number) = (0_u64, 0_u64, 0);
    for batch in receipts.chunk_by(|a, b| a.payer == b.payer) {
        number += 1;
        let company = format!("1{:09}", batch[0].payer.bytes().map(u64::from).sum::<u64>());
        lines.push(format!("5220{:<36}{company}CCDVENDOR PAY{date}{date}   106310001{number:07}", batch[0].payer));
        for Receipt { cents, trace, .. } in batch {
            lines.push(format!(
                "622{BANK}{ACCOUNT:<17}{cents:010}{:<15}{:<22}  0{}",
                "",
                "KESTREL MOTOR FREIGHT",
                ach_trace(*trace)
            ));
        }
        let entries = batch.len() as u64;
        let batch_hash = entries * 6_110_420;
        lines.push(format!("8220{entries:06}{batch_hash:010}{:012}{:012}{company}{:25}06310001{number:07}", 0, sum(batch), ""));
        count += entries;
        hash += batch_hash;
    }
    let blocks = (lines.len() + 1).div_ceil(10);
    lines.push(format!("9{number:06}{blocks:06}{count:08}{hash:010}{:012}{:012}{:39}", 0, sum(receipts), ""));
    lines.resize(blocks * 10, "9".repeat(94));
    lines.join("\n") + "\n"
}

/// An ACH return of one entry.
pub fn nacha_return(date: &str, receipt: &Receipt) -> String {
    let (trace, cents) = (ach_trace(receipt.trace), receipt.cents);
    let mut lines = vec![
        format!("101 {BANK} 061000146{date}0700R094101{:<23}{:<23}{:<8}", "KESTREL MOTOR FREIGHT B", "ACH OPERATOR", ""),
        format!("5225{:<36}1000000001CCDVENDOR PAY{date}{date}   1061104200000001", "KESTREL MOTOR FREIGHT"),
        format!("626{BANK}{ACCOUNT:<17}{cents:010}{:<15}{:<22}  1061104209000001", "", receipt.payer),
        format!("799R01{trace}      06310001{:<44}061104209000001", ""),
        format!("8225{:06}{:010}{cents:012}{:012}1000000001{:25}061104200000001", 2, 6_110_420, 0, ""),
        format!("9{:06}{:06}{:08}{:010}{cents:012}{:012}{:39}", 1, 1, 2, 6_110_420, 0, ""),
    ];
    lines.resize(10, "9".repeat(94));
    lines.join("\n") + "\n"
}

/// An MT940 of the account; as MT942 while the day goes on. The reference is cut at 16 characters.
pub fn mt(date: &str, id: u32, is_final: bool, receipts: &[Receipt]) -> String {
    let amount = |cents: i64| format!("{},{:02}", cents / 100, cents % 100);
    let mut text = format!(":20:KMF{id}\n:25:{BANK}/{ACCOUNT}\n:28C:{id}/1\n");
    if is_final {
        text.push_str(&format!(":60F:C{date}USD0,\n"));
    } else {
        text.push_str(&format!(":34F:USD0,\n:13D:{date}1400-0500\n"));
    }
    for receipt in receipts {
        let reference = format!("BANKREF{:09}", receipt.trace);
        text.push_str(&format!(":61:{date}{}C{}NTRFNONREF//{reference}\n", &date[2..], amount(receipt.cents)));
        text.push_str(&format!(":86:166?20SVWZ+PAYMENT?32{}\n", receipt.payer));
    }
    let total = sum(receipts);
    text + &match is_final {
        true => format!(":62F:C{date}USD{}\n-\n", amount(total)),
        false => format!(":90D:0USD0,\n:90C:{}USD{}\n-\n", receipts.len(), amount(total)),
    }
}

/// What a camt entry shows of the receipts in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Entries {
    /// An entry for each receipt.
    Each,
    /// One entry with all transactions.
    BatchWithDetails,
    /// One entry that says how many transactions it has.
    BatchAlone,
}

/// camt.052, .053 or .054 of the account. `entry` is the bank's reference of a batch.
pub fn camt(kind: u32, date: &str, id: u32, entries: Entries, entry: &str, receipts: &[Receipt]) -> String {
    let (root, message) = match kind {
        52 => ("BkToCstmrAcctRpt", "Rpt"),
        53 => ("BkToCstmrStmt", "Stmt"),
        _ => ("BkToCstmrDbtCdtNtfctn", "Ntfctn"),
    };
    let day = format!("20{}-{}-{}", &date[..2], &date[2..4], &date[4..]);
    let amount = |cents: i64| format!("<Amt Ccy=\"USD\">{}.{:02}</Amt>", cents / 100, cents % 100);
    let balance = |kind: &str, cents: i64| {
        let kind = format!("<Tp><CdOrPrtry><Cd>{kind}</Cd></CdOrPrtry></Tp>");
        format!("<Bal>{kind}{}<CdtDbtInd>CRDT</CdtDbtInd><Dt><Dt>{day}</Dt></Dt></Bal>", amount(cents))
    };
    let head = |cents: i64, reference: &str| {
        let dates = format!("<BookgDt><Dt>{day}</Dt></BookgDt><ValDt><Dt>{day}</Dt></ValDt>");
        let reference = if reference.is_empty() { String::new() } else { format!("<AcctSvcrRef>{reference}</AcctSvcrRef>") };
        let code = "<BkTxCd><Domn><Cd>PMNT</Cd><Fmly><Cd>RCDT</Cd><SubFmlyCd>ESCT</SubFmlyCd></Fmly></Domn></BkTxCd>";
        format!("{}<CdtDbtInd>CRDT</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts>{dates}{reference}{code}", amount(cents))
    };
    let details = |receipt: &Receipt| {
        let refs = format!("<Refs><AcctSvcrRef>2026BANKREF{:09}</AcctSvcrRef></Refs>", receipt.trace);
        let payer = format!("<RltdPties><Dbtr><Pty><Nm>{}</Nm></Pty></Dbtr></RltdPties>", receipt.payer);
        format!("<TxDtls>{refs}{}{payer}</TxDtls>", amount(receipt.cents))
    };
    let batch = format!("<Btch><NbOfTxs>{}</NbOfTxs></Btch>", receipts.len());
    let all: String = receipts.iter().map(details).collect();
    let total = sum(receipts);
    let body: String = match entries {
        Entries::Each => receipts
            .iter()
            .map(|one| {
                let reference = if entry.is_empty() { String::new() } else { format!("{entry}{:07}", one.trace) };
                format!("<Ntry>{}<NtryDtls>{}</NtryDtls></Ntry>\n", head(one.cents, &reference), details(one))
            })
            .collect(),
        Entries::BatchWithDetails => format!("<Ntry>{}<NtryDtls>{batch}{all}</NtryDtls></Ntry>\n", head(total, entry)),
        Entries::BatchAlone => format!("<Ntry>{}<NtryDtls>{batch}</NtryDtls></Ntry>\n", head(total, entry)),
    };
    let balances = if kind == 53 { balance("OPBD", 0) + &balance("CLBD", total) } else { String::new() };
    let servicer = format!("<Svcr><FinInstnId><ClrSysMmbId><MmbId>{BANK}</MmbId></ClrSysMmbId></FinInstnId></Svcr>");
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Document xmlns=\"urn:iso:std:iso:20022:tech:xsd:camt.0{kind}.001.08\">\n<{root}>\n\
         <GrpHdr><MsgId>M{id}</MsgId><CreDtTm>{day}T23:45:00</CreDtTm></GrpHdr>\n<{message}><Id>{id}</Id><CreDtTm>{day}T23:45:00</CreDtTm>\n\
         <Acct><Id><Othr><Id>{ACCOUNT}</Id></Othr></Id><Ccy>USD</Ccy>{servicer}</Acct>\n{balances}{body}</{message}>\n</{root}>\n</Document>\n"
    )
}
