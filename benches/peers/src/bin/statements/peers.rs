//! Other readers of bank statements, each given the whole text as it wants it. What one of them refuses is printed once.

use std::{hint::black_box, panic, sync::Once};

/// `mt940` reads a file in one call.
pub fn mt940(bytes: &[u8]) -> usize {
    static TOLD: Once = Once::new();
    match ::mt940::parse_mt940(text(bytes)) {
        Ok(messages) => black_box(messages).iter().map(|message| message.statement_lines.len()).sum(),
        Err(error) => refused(&TOLD, "mt940", &error.to_string()),
    }
}

/// `swift-mt-message` reads one message, so the text is cut at the line that ends each.
pub fn swift_mt_message(bytes: &[u8]) -> usize {
    static TOLD: Once = Once::new();
    let mut lines = 0;
    for message in text(bytes).split("\r\n-\r\n").filter(|message| !message.is_empty()) {
        match panic::catch_unwind(|| ::swift_mt_message::messages::MT940::parse_from_block4(message)) {
            Ok(Ok(read)) => lines += black_box(read).statement_lines.len(),
            Ok(Err(error)) => return refused(&TOLD, "swift-mt-message", &format!("{error:?}")),
            Err(_) => return refused(&TOLD, "swift-mt-message", "it panicked"),
        }
    }
    lines
}

/// `camt053` reads a document into its reduced model.
pub fn camt053(bytes: &[u8]) -> usize {
    static TOLD: Once = Once::new();
    match ::camt053::SimpleStatements::from_reader(bytes) {
        Ok(statements) => {
            black_box(statements);
            1
        }
        Err(error) => refused(&TOLD, "camt053", &error.to_string()),
    }
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).expect("the generated file is ASCII")
}

fn refused(told: &Once, name: &str, why: &str) -> usize {
    told.call_once(|| {
        println!("{name} refuses the file, so its speed means nothing: {}", why.lines().next().unwrap_or_default())
    });
    0
}
