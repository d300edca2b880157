//! Case by case: subfields of field 61, families of field 86, the proof of MT940 and MT942, and what camt says of amounts and returns.

#![allow(clippy::arithmetic_side_effects, clippy::indexing_slicing, reason = "a test may stop")]

mod support;

use support::{assert_told, told_money};
use tieout_parsers::{Limits, parse};

/// Puts entries into a statement with these balances, and compares what is read but for the balances.
fn mt940(opening: &str, entries: &str, closing: &str, expected: &str) {
    let text = format!(":20:A\n:25:NL91ABNA0417164300\n:60F:{opening}\n{entries}\n:62F:{closing}\n-\n");
    let parsed = parse(text.as_bytes(), &Limits::default());
    let told: String = told_money(&parsed).lines().filter(|line| !line.starts_with("balance")).collect::<Vec<_>>().join("\n");
    assert_told(&told, expected, entries);
    support::assert_chunks_agree(text.as_bytes(), &parsed, entries);
}

#[test]
fn subfields_of_the_statement_line() {
    let own = "••••4300";
    for (entry, expected) in [
        (":61:2603160316C1,00NTRFNONREF//B1", format!("Credit Wire 1.00 EUR on=2026-03-16 to={own} trace=B1 line=4")),
        (":61:260316C1,00NTRFREF1", format!("Credit Wire 1.00 EUR on=2026-03-16 to={own} trace=REF1 line=4")),
        (
            ":61:260316    C1,00NTRFREF1//B2",
            format!("Credit Wire 1.00 EUR on=2026-03-16 to={own} trace=B2 refs=OWNR:REF1 line=4"),
        ),
        (":61:2603160316CR1,NMSCNONREF", format!("Credit Other 1.00 EUR on=2026-03-16 to={own} line=4")),
        (":61:2603160316C 1,00 NTRFNONREF//B1", format!("Credit Wire 1.00 EUR on=2026-03-16 to={own} trace=B1 line=4")),
        (":61:2603160316CR\n1,00N062NONREF", format!("Credit Other 1.00 EUR on=2026-03-16 to={own} line=4")),
        (":61:2603160316RD1,00NTRFNONREF", format!("Credit Wire 1.00 EUR on=2026-03-16 to={own} refs=RVSL:RD line=4")),
        (
            ":61:2603160316C000000000001,00S103X//Y",
            format!("Credit Wire 1.00 EUR on=2026-03-16 to={own} trace=Y refs=OWNR:X line=4"),
        ),
        (
            ":61:2603160316C1,00NCHK884120//B1",
            format!("Credit Check 1.00 EUR on=2026-03-16 to={own} trace=884120 refs=BANK:B1 line=4"),
        ),
        (
            ":61:2603160316C1,00NTRF12345678901234567890123//9876543210987654321098765",
            format!(
                "Credit Wire 1.00 EUR on=2026-03-16 to={own} trace=9876543210987654321098765 refs=OWNR:12345678901234567890123 line=4"
            ),
        ),
        (
            ":61:2603160316C1,00N0440121470966      W.P. Jansen",
            format!("Credit Other 1.00 EUR on=2026-03-16 from=W.P. Jansen to={own} trace=0121470966 line=4"),
        ),
        (
            ":61:2603160316C1,00NTRFNONREF//B1\n/OCMT/USD1,08//CHGS/EUR0,50/",
            format!("Credit Wire 1.00 EUR on=2026-03-16 to={own} trace=B1 refs=OCMT:USD1,08,CHGS:EUR0,50 line=4"),
        ),
        (
            ":61:2603160316C1,00NTRFNONREF\nSOME WORDS",
            format!("Credit Wire 1.00 EUR on=2026-03-16 to={own} line=4 text=\"SOME WORDS\""),
        ),
        (
            ":61:2602310316C1,00NTRFNONREF",
            format!("Credit Wire 1.00 EUR on=2026-02-28 to={own} line=4\n! bad_date Warning Noted 6101@4 260231"),
        ),
    ] {
        mt940("C260316EUR1,00", entry, "C260316EUR2,00", &expected);
    }
    for (entry, closing, expected) in [
        (":61:2603160316RC1,00NTRFNONREF//B1", "D260316EUR1,00", "return 1.00 EUR code= trace=B1 from="),
        (":61:2603160316EC1,00NTRFNONREF", "C260316EUR0,00", "! bad_amount Info Noted 6105@4"),
        (":61:2603160316C0,00NMSCNONREF", "C260316EUR0,00", "! bad_amount Info Noted 6105@4"),
        (":61:2603160316X1,00NTRFNONREF", "C260316EUR0,00", "! bad_code Error RecordSetAside 6103@4 X1"),
        (":61:260316C1.000,00NTRFNONREF", "C260316EUR0,00", "! bad_amount Error RecordSetAside 6105@4 1.000,00"),
        (
            ":61:2603160316D1,00NRTINONREF//B1\n:86:109?20EREF+E9?34914?32TESTER",
            "D260316EUR1,00",
            "return 1.00 EUR code=914 trace=E9 from=TESTER",
        ),
    ] {
        mt940("C260316EUR0,00", entry, closing, expected);
    }
}

#[test]
fn statements_are_proven() {
    for (text, expected) in [
        // Pages follow each other.
        (
            ":20:A\n:25:1\n:60F:C260316EUR1,00\n:62M:C260316EUR1,00\n-\n:20:B\n:25:1\n:60M:C260316EUR2,00\n:62F:C260316EUR2,00\n-\n",
            "! control_total_mismatch Error FileHeld 60M@8 2.00\n? 60M 2.00 1.00",
        ),
        // Number and sum of an interim report.
        (
            ":20:A\n:25:1\n:34F:EURD0,\n:61:260316C2,00NTRFX\n:90C:2EUR3,00\n-\n",
            "! control_count_mismatch Error FileHeld 90C@5 2\n! control_total_mismatch Error FileHeld 90C@5 3.00\n? 90C 2 1\n? 90C sum 3.00 2.00",
        ),
        (
            ":20:A\n:25:1\n:34F:EURD0,\n:61:260316C2,00NTRFX\n",
            "! missing_trailer Error FileHeld @0 1 entries and no closing balance",
        ),
        (":20:A\n:25:1\n:34F:EURD0,\n:61:260316C2,00NTRFX\n-\n", ""),
        // An envelope that is not closed.
        (
            "{1:F01X}{2:I940X}{4:\n:20:A\n:25:1\n:60F:C260316EUR1,00\n:62F:C260316EUR1,00\n",
            "! unexpected_end Error FileHeld @0 the end of the file",
        ),
        (
            "{1:F01X}{2:I103X}{4:\n:20:A\n-}\n",
            "! unsupported_format Error FileHeld 02@1 103\n! missing_segment Warning Noted 20@2\n! missing_trailer Error FileHeld @3 0 entries and no closing balance",
        ),
        // Two statements without an end mark between them.
        (
            ":20:A\n:25:1\n:60F:C260316EUR1,00\n:20:B\n:25:1\n:60F:C260316EUR1,00\n:62F:C260316EUR1,00\n",
            "! missing_trailer Error FileHeld 20@4 0 entries and no closing balance",
        ),
        // Behind the closing balance nothing is booked.
        (
            ":20:A\n:25:1\n:60F:C260316EUR1,00\n:62F:C260316EUR1,00\n:61:260316C2,00NTRFX\n",
            "! bad_envelope Error FileHeld 6101@5",
        ),
        // A line between fields.
        (
            ":20:A\n:25:1\n:60F:C260316EUR1,00\n### LOST ###\n:62F:C260316EUR1,00\n",
            "! trailing_data Warning Noted 60F@3 ### LOST ###",
        ),
    ] {
        let parsed = parse(text.as_bytes(), &Limits::default());
        let shown = |line: &&str| line.starts_with('!') || line.starts_with('?');
        let told: String = told_money(&parsed).lines().filter(shown).collect::<Vec<_>>().join("\n");
        assert_told(&told, expected, text);
        support::assert_chunks_agree(text.as_bytes(), &parsed, text);
    }
}

/// Reads one entry of a camt.054 in EUR.
fn camt(entry: &str, expected: &str) {
    let text = format!(
        "<Document xmlns='urn:iso:std:iso:20022:tech:xsd:camt.054.001.10'><BkToCstmrDbtCdtNtfctn><Ntfctn>{entry}</Ntfctn></BkToCstmrDbtCdtNtfctn></Document>"
    );
    let parsed = parse(text.as_bytes(), &Limits::default());
    assert_told(&told_money(&parsed), expected, entry);
    support::assert_chunks_agree(text.as_bytes(), &parsed, entry);
}

#[test]
fn amounts_of_camt() {
    let head = |amount: &str| format!("<Amt Ccy='EUR'>{amount}</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts>");
    for (entry, expected) in [
        (
            format!("{}<ValDt><DtTm>2026-03-16T08:00:00Z</DtTm></ValDt><AddtlNtryInf>RENT</AddtlNtryInf>", head("5.00000")),
            "Credit Other 5.00 EUR on=2026-03-16 line=1 text=\"RENT\"",
        ),
        (
            // What the payer ordered in another currency, less charges.
            format!(
                "{}<NtryDtls><TxDtls><AmtDtls><InstdAmt><Amt Ccy='USD'>6.00</Amt></InstdAmt><TxAmt><Amt Ccy='EUR'>5.50</Amt><CcyXchg><XchgRate>0.9</XchgRate></CcyXchg></TxAmt></AmtDtls><Chrgs><Rcrd><Amt Ccy='EUR'>0.50</Amt></Rcrd></Chrgs></TxDtls></NtryDtls>",
                head("5.00")
            ),
            "Credit Other 5.00 EUR refs=INSD:6.00 USD,XRAT:0.9,CHGS:0.50 EUR line=1",
        ),
        (
            format!("{}<NtryDtls><TxDtls><Amt Ccy='EUR'>4.00</Amt></TxDtls></NtryDtls>", head("5.00")),
            "Credit Other 5.00 EUR line=1\n! control_total_mismatch Error FileHeld Ntry@1 5.00\n? Ntry/Amt 5.00 4.00",
        ),
        (
            format!(
                "{}<NtryDtls><TxDtls><Amt Ccy='EUR'>4.00</Amt></TxDtls><TxDtls><Amt Ccy='USD'>1.00</Amt></TxDtls></NtryDtls>",
                head("5.00")
            ),
            "Credit Other 4.00 EUR line=1\n! missing_element Error RecordSetAside TxDtls@1",
        ),
        (
            format!(
                "{}<NtryDtls><Btch><NbOfTxs>3</NbOfTxs></Btch><TxDtls><Amt Ccy='EUR'>4.00</Amt></TxDtls><TxDtls><Amt Ccy='EUR'>1.00</Amt></TxDtls></NtryDtls>",
                head("5.00")
            ),
            "Credit Other 4.00 EUR line=1\nCredit Other 1.00 EUR line=1\n! control_count_mismatch Error FileHeld NbOfTxs@1 3\n? Btch/NbOfTxs 3 2",
        ),
        (
            // A net batch: one of its transactions goes the other way, and it is a return.
            format!(
                "{}<NtryDtls><TxDtls><Amt Ccy='EUR'>7.00</Amt><CdtDbtInd>CRDT</CdtDbtInd></TxDtls><TxDtls><Refs><EndToEndId>E1</EndToEndId></Refs><Amt Ccy='EUR'>2.00</Amt><CdtDbtInd>DBIT</CdtDbtInd><RtrInf><Rsn><Cd>MD06</Cd></Rsn></RtrInf></TxDtls></NtryDtls>",
                head("5.00")
            ),
            "Credit Other 7.00 EUR line=1\nreturn 2.00 EUR code=MD06 trace=E1 from=",
        ),
        (
            "<Amt Ccy='EUR'>5.00</Amt><CdtDbtInd>DBIT</CdtDbtInd><RvslInd>true</RvslInd><Sts>BOOK</Sts>".to_owned(),
            "return 5.00 EUR code= trace=- from=",
        ),
        ("<Amt Ccy='EUR'>5.001</Amt><CdtDbtInd>CRDT</CdtDbtInd>".to_owned(), "! bad_amount Error RecordSetAside Amt@1 5.001"),
        ("<Amt>5.00</Amt><CdtDbtInd>CRDT</CdtDbtInd>".to_owned(), "! missing_element Error RecordSetAside Amt@1 5.00"),
        ("<Amt Ccy='EUR'>5.00</Amt>".to_owned(), "! missing_element Error RecordSetAside Ntry@1"),
        (
            format!("{}<NtryDtls><TxDtls><Refs><ChqNb>77</ChqNb></Refs></TxDtls></NtryDtls>", head("5.00")),
            "Credit Check 5.00 EUR trace=77 line=1",
        ),
    ] {
        camt(&format!("<Ntry>{entry}</Ntry>"), expected);
    }
}

#[test]
fn a_byte_order_mark_moves_nothing() {
    for (mark, shift) in [("", 0), ("\u{feff}", 3)] {
        let text = format!(
            "{mark}<Document xmlns='urn:iso:std:iso:20022:tech:xsd:camt.053.001.10'>\n<BkToCstmrStmt><Stmt>\n<Ntry><Amt Ccy='EUR'>5</Amt>"
        );
        let parsed = parse(text.as_bytes(), &Limits::default());
        let end = parsed.findings.last().expect("a finding at the end");
        assert_eq!((end.location.byte, end.location.line), (text.len() as u64, Some(3)), "{shift}");
        support::assert_chunks_agree(text.as_bytes(), &parsed, "mark");
    }
}

#[test]
fn structured_remittance_of_camt() {
    let document = |kind: &str, number: &str, amounts: &str| {
        format!(
            "<Strd><RfrdDocInf><Tp><CdOrPrtry>{kind}</CdOrPrtry></Tp><Nb>{number}</Nb><RltdDt>2026-03-01</RltdDt></RfrdDocInf><RfrdDocAmt>{amounts}</RfrdDocAmt></Strd>"
        )
    };
    for (strd, expected) in [
        (document("<Cd>CINV</Cd>", "1", "<DuePyblAmt Ccy='EUR'>6</DuePyblAmt><DscntApldAmt Ccy='EUR'>1</DscntApldAmt><RmtdAmt Ccy='EUR'>5</RmtdAmt>"), "IV:1 gross=6.00 EUR discount=1.00 EUR net=5.00 EUR [] 2026-03-01"),
        (document("<Cd>CREN</Cd>", "2", "<CdtNoteAmt Ccy='EUR'>3</CdtNoteAmt>"), "CM:2 gross=- discount=- net=-3.00 EUR [] 2026-03-01"),
        (document("<Prtry>PUOR</Prtry>", "3", ""), "PO:3 gross=- discount=- net=- [] 2026-03-01"),
        (document("<Cd>BOLD</Cd>", "4", ""), "BM:4 gross=- discount=- net=- [] 2026-03-01"),
        ("<Strd><CdtrRefInf><Tp><CdOrPrtry><Prtry>QRR</Prtry></CdOrPrtry></Tp><Ref>210000000003139471430009017</Ref></CdtrRefInf></Strd>".to_owned(), "QRR:210000000003139471430009017 gross=- discount=- net=- []"),
    ] {
        let entry = format!("<Ntry><Amt Ccy='EUR'>5.00</Amt><CdtDbtInd>CRDT</CdtDbtInd><NtryDtls><TxDtls><RmtInf>{strd}</RmtInf></TxDtls></NtryDtls></Ntry>");
        let balance = if strd.contains("CdtNoteAmt") { "! out_of_balance Info Noted TxDtls@1 -3.00" } else { "" };
        camt(&entry, &format!("Credit Other 5.00 EUR advice=0 line=1\nadvice 0 5.00 EUR\n{expected}\n{balance}"));
    }
}
