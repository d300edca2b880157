//! E-mails from any bytes: nothing panics, what comes out was in the letter, and its names lead nowhere. The file of the main crate is taken in
//! as it stands, because it needs nothing else of that crate.
#![no_main]

use std::{panic, sync::Once};

use libfuzzer_sys::fuzz_target;

#[path = "../../src/intake/email.rs"]
mod email;

/// Mutations need not find the headers that make a file a letter of parts.
const HEAD: &[u8] = b"From: a@b.example\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=\"cut\"\r\n\r\n--cut\r\n";

/// The fuzzer's hook ends the process at a panic that the code catches, too; without it only those that come out do.
static UNHOOKED: Once = Once::new();

fuzz_target!(|data: &[u8]| {
    UNHOOKED.call_once(|| panic::set_hook(Box::new(|_| {})));
    let Some((choice, rest)) = data.split_first() else { return };
    let letter = if choice % 2 == 0 { rest.to_vec() } else { [HEAD, rest].concat() };
    let _ = email::is_email(&letter);
    let (parts_max, depth_max) = (64, usize::from(choice / 2 % 4));
    match email::attachments(&letter, parts_max, depth_max) {
        Ok(found) => {
            for email::Attachment { name, bytes } in &found {
                assert!(bytes.len() <= letter.len(), "an attachment is longer than its letter");
                assert!(!name.is_empty() && !name.contains(['/', '\\']), "{name:?} leads elsewhere");
            }
        }
        Err(email::Fault::Damaged { name, detail }) => assert!(!name.is_empty() && !detail.is_empty()),
        Err(email::Fault::TooDeep | email::Fault::TooMany) => {}
    }
});
