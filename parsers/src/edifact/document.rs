//! 1001 Document/message name code: what kind of document a number names.

/// What a document does to what a customer owes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Asks for money.
    Invoice,
    /// Gives money back.
    CreditNote,
    /// Asks for more, or takes something off: it depends on who wrote it.
    DebitNote,
    /// An order.
    Order,
    /// No debt: a pro forma or a preliminary invoice.
    NoDebt,
    /// Anything else.
    Other,
}

/// By the code of the United Nations; codes of partners are none of them.
pub(super) fn kind(code: &str) -> Kind {
    match code {
        "82" | "326" | "380" | "382" | "384" | "385" | "386" | "387" | "388" | "389" | "390" | "393" | "394" | "395" | "575"
        | "623" | "780" => Kind::Invoice,
        "81" | "83" | "261" | "262" | "296" | "308" | "381" | "396" | "420" | "458" | "532" => Kind::CreditNote,
        "80" | "84" | "383" | "456" | "457" | "527" => Kind::DebitNote,
        "105" | "220" | "221" | "224" | "226" => Kind::Order,
        "325" | "935" => Kind::NoDebt,
        _ => Kind::Other,
    }
}
