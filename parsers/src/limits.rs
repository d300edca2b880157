//! Bounds that keep one hostile or broken file from taking the machine.

/// Every bound a reader respects. The defaults fit what banks and partners send, with room to spare.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of one transaction, entry or record. Stops a file without terminators from filling memory.
    pub transaction_bytes_max: usize,
    /// Bytes of one segment. Stops a lost terminator from turning a file into one segment.
    pub segment_bytes_max: usize,
    /// Lines of one remittance. Stops quadratic work further on.
    pub remittance_lines_max: usize,
    /// Findings kept for one file, of those that are only noted and again of those with an effect; the rest is counted in one last
    /// finding, which holds the file when records were set aside unseen. Stops a broken file from filling memory and screens.
    pub findings_max: usize,
    /// Bytes of the unpacked content of a compressed file. Stops zip bombs.
    pub unpacked_bytes_max: u64,
    /// Files in one archive. Stops archives of a million entries.
    pub archive_entries_max: usize,
    /// Bytes of a workbook, which is kept in memory while it is read, and of each of its parts but the sheets; all parts together may unpack
    /// to eight times that. Stops zip bombs that call themselves spreadsheets.
    pub workbook_bytes_max: usize,
    /// Bytes of an e-mail, which is kept in memory while its attachments are taken out.
    pub email_bytes_max: u64,
    /// Archives within archives, and letters within letters. Stops files that contain themselves.
    pub archive_depth_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            transaction_bytes_max: 16 << 20,
            segment_bytes_max: 1 << 20,
            remittance_lines_max: 100_000,
            findings_max: 1_000,
            unpacked_bytes_max: 4 << 30,
            archive_entries_max: 10_000,
            workbook_bytes_max: 64 << 20,
            email_bytes_max: 64 << 20,
            archive_depth_max: 3,
        }
    }
}
