//! ISO 20022 XML: pain.001 and remt.001 from any bytes. The first byte chooses the message and the chunks.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tieout_fuzz::{behind, check, controls_hold, uneven};
use tieout_parsers::Options;

const BEGINNINGS: [&[u8]; 2] = [
    b"<Document><CstmrCdtTrfInitn><PmtInf><Dbtr><Nm>GLOBEX</Nm></Dbtr><CdtTrfTxInf><Amt><InstdAmt Ccy=\"EUR\">",
    b"<Document><RmtAdvc><RmtInf><OrgnlPmtInf><Amt><InstdAmt Ccy=\"EUR\">7</InstdAmt></Amt></OrgnlPmtInf><Strd>",
];

fuzz_target!(|data: &[u8]| {
    let Some((choice, bytes)) = data.split_first() else { return };
    let beginning = BEGINNINGS[usize::from(*choice) % BEGINNINGS.len()];
    let file = behind(beginning, |bytes| bytes.starts_with(b"<Doc") || bytes.starts_with(b"<?"), bytes);
    check(&file, &Options::default(), uneven(usize::from(*choice)), |parsed| {
        controls_hold(parsed);
        let announces = matches!(parsed.document.format.as_str(), "pain.001" | "remt.001");
        // What is only announced is no money.
        assert!(!announces || parsed.document.payments.is_empty() || !tieout_fuzz::is_accepted(parsed), "money from an advice");
    });
});
