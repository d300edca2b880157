//! BAI2 statements and lockbox files from any bytes. The first byte chooses a beginning that leads into one of the readers, so that
//! mutations need not find it.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tieout_fuzz::{check, even, has_aside, is_accepted};
use tieout_parsers::{Format, Layout, Options};

const BAI2: &[u8] = b"01,091308339,GRE,260314,0500,1,,,2/\n02,GRE,091308339,1,260313,2359,USD,2/\n03,5518820047,USD,010,0,,/\n";
const LOCKBOX: &[u8] = b"101LWS       042206176 2603160600\n2LWS       042206176           40008000802\n\
                         50010000982275260316LWS       042206176\n";

fuzz_target!(|data: &[u8]| {
    let Some((choice, rest)) = data.split_first() else { return };
    let bytes = match choice % 4 {
        0 => rest.to_vec(),
        1 => [BAI2, rest].concat(),
        2 => [LOCKBOX, rest].concat(),
        _ => {
            // Layout files come from people.
            if let Ok(text) = std::str::from_utf8(rest) {
                let _ = Layout::parse(text);
            }
            return;
        }
    };
    check(&bytes, &Options::default(), even(1 + usize::from(*choice)), |parsed| {
        let ours = matches!(parsed.document.format, Format::Bai2 | Format::LockboxBai);
        let disagree = parsed.document.controls.iter().any(|control| !control.ok);
        assert!(!(ours && is_accepted(parsed) && disagree && !has_aside(parsed)), "accepted, and a control disagrees");
    });
});
