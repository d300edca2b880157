//! Files of the shared corpus that belong to no larger family, where it is there: EDIFACT, pain.001 and remt.001.

#![allow(clippy::arithmetic_side_effects, clippy::indexing_slicing, reason = "a test may stop")]

mod support;

use tieout_parsers::{Limits, parse};

fn check(family: &str, name: &str, expected: &str) {
    let Some(corpus) = support::corpus_of(family) else { return };
    let bytes = std::fs::read(corpus.join(name)).expect("a file of the corpus");
    let parsed = parse(&bytes, &Limits::default());
    support::assert_chunks_agree(&bytes, &parsed, name);
    let (format, status) = (parsed.document.format.as_str(), parsed.document.status.as_str());
    support::assert_told(&format!("{format} {status}\n{}", support::told_advices(&parsed)), expected, name);
}

#[test]
fn our_own_advice_of_edifact() {
    check(
        "other",
        "syn-remadv-d96a.edi",
        "edifact.remadv accepted
         advice 0 total=2400.00 EUR on=2026-11-20 from=GLOBEX to=ACME trace=TRN998877
           IV:INV1001 net=1500.00 EUR on=2026-10-01
           IV:INV1002 gross=1000.00 EUR discount=20.00 EUR net=980.00 EUR refs=AJT:1
           CM:CN55 net=-80.00 EUR",
    );
}

#[test]
fn initiations_of_others() {
    check(
        "other",
        "moov-sepa_payment_naujas_1.xml",
        "pain.001 accepted
         advice 0 total=99.99 EUR on=2017-08-23 from=IMONE X/123456789/CBSBLT26/••••0000 to=IMONE Z/123456789/SMPOLT22/••••0000 trace=EndToEndId0001 refs=MSID:MSGID0001,PMTI:201708230001,EREF:EndToEndId0001,INST:InstrId00001 text=\"Apmokama saskaita-faktura Nr. 1\"",
    );
    check(
        "other",
        "moov-International_payment_RUB_naujas_1.xml",
        "pain.001 accepted
         advice 0 total=1000.00 RUB on=2015-09-28 from=IMONE X/123456789/CBSBLT26XXX/••••0000 to=COMPANY Z/044525593/••••7890 trace=EndToEndId0003 refs=MSID:MSGID0003,PMTI:201509280003,EREF:EndToEndId0003,INST:Payment-1 text=\"PREPAYMENT RUB 1000,00\"",
    );
    check(
        "other",
        "moov-International_payment_USD_naujas_1.xml",
        "pain.001 accepted
         advice 0 total=111.11 USD on=2015-09-28 from=IMONE X/CBSBLT26XXX/••••0000 to=COMPANY Z/BKTRUS33/••••7890 trace=EndToEndId0002 refs=MSID:MSGID0002,PMTI:201509280002,EREF:EndToEndId0002 text=\"Payment details\"",
    );
    // It announces seven transactions and holds eight.
    check(
        "other",
        "moov-musterfile_pain.001_Nov2020.xml",
        "pain.001 held
         advice 0 total=6.20 CHF on=2020-07-28 from=Robert Schneider/POFICHBEXXX/••••0342 to=Maria Bernasconi/••••2291 trace=EndToEndId-01-01 refs=MSID:MsgId-001,PMTI:PmtInfId-01,EREF:EndToEndId-01-01,INST:InstrId-01-01 text=\"Rechnung 1122\"
         advice 1 total=1.80 CHF on=2020-07-22 from=Robert Schneider/POFICHBEXXX/••••0342 to=Robert Schneider SA/••••5803 trace=EndToEndId-02-01 refs=MSID:MsgId-001,PMTI:PmtInfId-02,EREF:EndToEndId-02-01,INST:InstrId-02-01
           SCOR:120000000000234478943216899
         advice 2 total=12.00 CHF on=2020-07-22 from=Robert Schneider/POFICHBEXXX/••••0342 to=Robert Schneider/••••4239 trace=EndToEndId-02-02 refs=MSID:MsgId-001,PMTI:PmtInfId-02,EREF:EndToEndId-02-02,INST:InstrId-02-02 text=\"Rechnung 20200615636.365\"
         advice 3 total=5.00 CHF on=2020-07-24 from=Robert Schneider/POFICHBEXXX/••••0342 to=Maria Bernasconi/••••2291 trace=EndToEndId-03-01 refs=MSID:MsgId-001,PMTI:PmtInfId-03,EREF:EndToEndId-03-01,INST:InstrId-03-01 text=\"Salaire Juli\"
         advice 4 total=2.00 CHF on=2020-07-24 from=Robert Schneider/POFICHBEXXX/••••0342 to=Maria Bernasconi/••••365L trace=EndToEndId-03-02 refs=MSID:MsgId-001,PMTI:PmtInfId-03,EREF:EndToEndId-03-02,INST:InstrId-03-02 text=\"Mitteilung Lohn\"
         advice 5 on=2020-07-05 from=Robert Schneider SA/POFICHBEXXX/••••0342 to=Maria Bernasconi/AABBCCDDXXX/••••2334 trace=EndToEndId-04-01 refs=MSID:MsgId-001,PMTI:PmtInfId-04,EREF:EndToEndId-04-01,EQVT:1.00 CHF,INST:InstrId-04-01 text=\"Mitteilung\"
         advice 6 total=4.00 CHF on=2020-06-17 from=Maria Bernasconi/POFICHBEXXX/••••2291 to=Robert Schneider SA/••••4239 trace=EEndToEndId-05-01 refs=MSID:MsgId-001,PMTI:PmtInfId-05,EREF:EEndToEndId-05-01,INST:InstrId-05-01
           QRR:976471818744726494745968140
         advice 7 total=6.00 CHF on=2020-06-17 from=Maria Bernasconi/POFICHBEXXX/••••2291 to=Maria Bernasconi/••••2291 trace=EEndToEndId-06-01 refs=MSID:MsgId-001,PMTI:PmtInfId-05,EREF:EEndToEndId-06-01,INST:InstrId-06-01
           SCOR:RF18539007547034
         ! odd_envelope Warning Noted Document@0 xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xmlns=…
         ! control_count_mismatch Error FileHeld NbOfTxs@0 7
         ? GrpHdr/NbOfTxs 7 8",
    );
    check(
        "camt",
        "moov-gistfile1.xml",
        "pain.001 accepted
         advice 0 total=10000000 JPY on=2009-09-29 from=ABC Corporation/BBBBUS33/••••4999 to=DEF Electronics/AAAAGB2L/••••4125 trace=ABC/4562/2009-09-08 refs=MSID:ABC/090928/CCT001,PMTI:ABC/086,EREF:ABC/4562/2009-09-08,INST:ABC/090928/CCT001/01
           IV:4562 on=2009-09-08
         advice 1 total=500000.00 EUR on=2009-09-29 from=ABC Corporation/BBBBUS33/••••4999 to=GHI Semiconductors/DDDDBEBB/••••1411 trace=ABC/ABC-13679/2009-09-15 refs=MSID:ABC/090928/CCT001,PMTI:ABC/086,EREF:ABC/ABC-13679/2009-09-15,INST:ABC/090628/CCT001/2
           IV:ABC-13679 on=2009-09-15
         advice 2 total=1000000.00 USD on=2009-09-29 from=ABC Corporation/BBBBUS33/••••4999 to=ABC Corporation/BBBBUS66/••••623 trace=ABC/987-AC/2009-09-27 refs=MSID:ABC/090928/CCT001,PMTI:ABC/086,EREF:ABC/987-AC/2009-09-27,INST:ABC/090928/CCT001/3
           IV:987-AC on=2009-09-27",
    );
}

#[test]
fn what_announces_nothing() {
    check("other", "moov-valid_remt_v04.xml", "remt.001 accepted");
    check(
        "other",
        "moov-valid_pain_v11.xml",
        "unknown unsupported
         ! unsupported_format Warning Noted CstmrPmt@0 CstmrPmtStsRpt",
    );
    check(
        "other",
        "moov-invalid_pain_v11.xml",
        "unknown unsupported
         ! odd_envelope Warning Noted Document@0
         ! unsupported_format Warning Noted CstmrPmt@0 CstmrPmtStsRpt",
    );
}

/// Every PmtInf of it claims another number or sum than its transactions have.
#[test]
fn claims_that_do_not_hold() {
    let Some(corpus) = support::corpus_of("other") else { return };
    let bytes = std::fs::read(corpus.join("bsp-pain.001.001.03.xml")).expect("a file of the corpus");
    let parsed = parse(&bytes, &Limits::default());
    assert_eq!(parsed.document.status.as_str(), "held");
    assert_eq!(parsed.document.remittances.len(), 6);
    assert_eq!(parsed.document.controls.iter().filter(|control| !control.ok).count(), 11);
}
