//! Keeps account numbers: a keyed hash to match by, a ciphertext to keep, and four characters to show.
//!
//! This is the only module that reveals a number. The master key lies in `TIEOUT_HOME/secret.key` (made on first use, readable by its
//! owner only) or comes from `TIEOUT_SECRET_KEY`; a backup without it holds no readable account number.

use std::{
    fmt, fs,
    io::{self, Write},
    path::Path,
};

use anyhow::Context;
use chacha20poly1305::{
    ChaCha20Poly1305, Nonce,
    aead::{Aead, KeyInit, Payload},
};
use hmac::{Hmac, Mac};
use sha2::{Digest as _, Sha256};
use tieout_parsers::Account;

use crate::{clock, domain::AccountKey, durable, hex};

const KEY_FILE: &str = "secret.key";
const NONCE_BYTES: usize = 12;
/// Stands before every ciphertext, so that a later cipher can live beside this one.
const FORMAT: &str = "v1:";

/// Text that must not be printed: it shows as `••••`.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    pub fn new(text: String) -> Self {
        Self(text)
    }

    /// The text itself, for the one call that needs it.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("••••")
    }
}

/// An account number as it may be stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealedAccount {
    /// Equal accounts have equal keys.
    pub key: AccountKey,
    /// Only [`Vault::reveal`] reads it.
    pub ciphertext: String,
    /// What people see; never more than half of the number.
    pub last4: String,
}

/// A text that is equal for equal accounts, to find doubles within one run. Without a key it is neither stored nor shown.
pub fn identity(bank: &str, account: &Account<'_>) -> String {
    hex::encode(&Sha256::digest(format!("{}\0{}", normalised_bank(bank), normalised_account(account.reveal()))))
}

/// Seals account numbers and, where a permission allows, reveals them.
pub struct Vault {
    hash: Hmac<Sha256>,
    cipher: ChaCha20Poly1305,
    fingerprint: String,
}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Vault({})", self.fingerprint)
    }
}

impl Vault {
    /// Opens the vault with the key given, or with that of `home`, which is made when there is none.
    pub fn open(home: &Path, given: Option<&Secret>) -> anyhow::Result<Self> {
        let master = match given {
            Some(text) => read_key(text.reveal()).context("TIEOUT_SECRET_KEY is not a key")?,
            None => key_of(home)?,
        };
        Ok(Self::from_master(&master))
    }

    /// A vault for what keeps no account numbers: within it equal accounts match, and none matches what was stored under a key.
    pub fn without_key() -> Self {
        Self::from_master(&[0; 32])
    }

    fn from_master(master: &[u8; 32]) -> Self {
        let derive = |purpose: &[u8]| keyed(master).chain_update(purpose).finalize().into_bytes();
        let hash: [u8; 32] = derive(b"tieout account hash 1").into();
        let cipher: [u8; 32] = derive(b"tieout account cipher 1").into();
        let fingerprint = hex::encode(&derive(b"tieout fingerprint 1")[..8]);
        Self { hash: keyed(&hash), cipher: ChaCha20Poly1305::new(&cipher.into()), fingerprint }
    }

    /// Tells one master key from another and nothing else. The store keeps it, because under another key no known account matches.
    pub fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    /// The key an account is matched by. `None` when nothing is left of the number after normalising.
    pub fn key(&self, bank: Option<&str>, account: &str) -> Option<AccountKey> {
        let number = normalised_account(account);
        if number.is_empty() {
            return None;
        }
        // An IBAN names its bank itself; files give it with a BIC, with a national bank code or alone.
        let bank = if is_iban(&number) { String::new() } else { normalised_bank(bank.unwrap_or_default()) };
        let mac = self.hash.clone().chain_update(bank).chain_update(b"\0").chain_update(number);
        Some(AccountKey(hex::encode(&mac.finalize().into_bytes())))
    }

    /// [`Vault::key`] of an account as a reader hands it over.
    pub fn key_of(&self, bank: Option<&str>, account: &Account<'_>) -> Option<AccountKey> {
        self.key(bank, account.reveal())
    }

    /// What may be stored of an account number. `None` when the number is empty.
    pub fn seal(&self, bank: Option<&str>, account: &str) -> anyhow::Result<Option<SealedAccount>> {
        let Some(key) = self.key(bank, account) else { return Ok(None) };
        let mut nonce = [0; NONCE_BYTES];
        clock::fill_random(&mut nonce)?;
        let payload = Payload { msg: account.as_bytes(), aad: key.0.as_bytes() };
        let sealed = self
            .cipher
            .encrypt(&Nonce::from(nonce), payload)
            .map_err(|_| anyhow::anyhow!("the account number could not be encrypted"))?;
        let ciphertext = format!("{FORMAT}{}{}", hex::encode(&nonce), hex::encode(&sealed));
        Ok(Some(SealedAccount { key, ciphertext, last4: Account::new(account.into()).last4() }))
    }

    /// Seals an account as a reader hands it over.
    pub fn seal_account(&self, bank: Option<&str>, account: &Account<'_>) -> anyhow::Result<Option<SealedAccount>> {
        self.seal(bank, account.reveal())
    }

    /// The whole number again. The caller has checked the permission and writes the audit line.
    pub fn reveal(&self, key: &AccountKey, ciphertext: &str) -> anyhow::Result<String> {
        let bytes = ciphertext.strip_prefix(FORMAT).and_then(hex::decode).context("the stored account number is damaged")?;
        let (nonce, sealed) = bytes.split_first_chunk::<NONCE_BYTES>().context("the stored account number is damaged")?;
        let number = self
            .cipher
            .decrypt(&Nonce::from(*nonce), Payload { msg: sealed, aad: key.0.as_bytes() })
            .map_err(|_| anyhow::anyhow!("the account number was sealed with another key, or changed since"))?;
        String::from_utf8(number).context("the stored account number is damaged")
    }
}

fn keyed(key: &[u8; 32]) -> Hmac<Sha256> {
    Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length")
}

/// Letters and digits in upper case; a number of digits only loses its leading zeros, which banks add and drop at will.
fn normalised_account(account: &str) -> String {
    let number: String = account.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_uppercase()).collect();
    match number.trim_start_matches('0') {
        "" if !number.is_empty() => "0".to_owned(),
        digits if digits.bytes().all(|byte| byte.is_ascii_digit()) => digits.to_owned(),
        _ => number,
    }
}

/// One text per bank: a routing number without its check digit (ACH entries carry eight digits, wires nine), a BIC without branch `XXX`.
fn normalised_bank(bank: &str) -> String {
    let mut bank: String = bank.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_uppercase()).collect();
    if is_routing_number(&bank) || (bank.len() == 11 && bank.ends_with("XXX")) {
        bank.truncate(8);
    }
    bank
}

/// Nine digits with the check digit of the American Bankers Association.
fn is_routing_number(bank: &str) -> bool {
    const WEIGHTS: [u32; 9] = [3, 7, 1, 3, 7, 1, 3, 7, 1];
    let digits: Option<Vec<u32>> = bank.chars().map(|c| c.to_digit(10)).collect();
    digits.is_some_and(|digits| {
        digits.len() == 9 && digits.iter().zip(WEIGHTS).map(|(digit, weight)| digit * weight).sum::<u32>() % 10 == 0
    })
}

/// ISO 13616: country, two check digits, and a remainder of 1 modulo 97.
fn is_iban(number: &str) -> bool {
    let bytes = number.as_bytes();
    let shape = (15..=34).contains(&bytes.len())
        && bytes[..2].iter().all(u8::is_ascii_uppercase)
        && bytes[2..4].iter().all(u8::is_ascii_digit);
    let remainder = |rest: u32, c: char| match c.to_digit(36) {
        Some(value) if value < 10 => (rest * 10 + value) % 97,
        Some(value) => (rest * 100 + value) % 97,
        None => rest,
    };
    shape && number[4..].chars().chain(number[..4].chars()).fold(0, remainder) == 1
}

fn read_key(text: &str) -> anyhow::Result<[u8; 32]> {
    let bytes = hex::decode(text.trim()).context("expected 64 hex digits")?;
    bytes.as_slice().try_into().with_context(|| format!("expected 64 hex digits, found {}", bytes.len() * 2))
}

/// The key of a home folder. Two processes that start at once agree on one key: the file appears whole or not at all.
fn key_of(home: &Path) -> anyhow::Result<[u8; 32]> {
    let path = home.join(KEY_FILE);
    for _ in 0..2 {
        match fs::read_to_string(&path) {
            Ok(text) => {
                warn_if_open(&path);
                return read_key(&text).with_context(|| format!("{} holds no key; restore it from a backup", path.display()));
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => make_key(home, &path)?,
            Err(error) => return Err(error).with_context(|| format!("reading {}", path.display())),
        }
    }
    anyhow::bail!("{} vanished while it was being made", path.display())
}

fn make_key(home: &Path, path: &Path) -> anyhow::Result<()> {
    fs::create_dir_all(home).with_context(|| format!("creating {}", home.display()))?;
    let mut master = [0; 32];
    clock::fill_random(&mut master)?;
    let doing = || format!("writing {}", path.display());
    // A temporary file of this crate is made with mode 0600.
    let mut file = tempfile::Builder::new().prefix(".secret-").tempfile_in(home).with_context(doing)?;
    writeln!(file, "{}", hex::encode(&master)).with_context(doing)?;
    file.as_file().sync_all().with_context(doing)?;
    match file.persist_noclobber(path) {
        Ok(_) => durable::sync_folder(home).with_context(doing),
        Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error.error).with_context(doing),
    }
}

#[cfg(unix)]
fn warn_if_open(path: &Path) {
    use std::os::unix::fs::PermissionsExt;
    if fs::metadata(path).is_ok_and(|data| data.permissions().mode() & 0o077 != 0) {
        tracing::warn!(path = %path.display(), "other users can read the key of the account numbers; run chmod 600 on it");
    }
}

#[cfg(not(unix))]
fn warn_if_open(_path: &Path) {}

#[cfg(test)]
mod tests {
    use super::*;

    fn vault() -> Vault {
        Vault::from_master(&[7; 32])
    }

    #[test]
    fn one_account_has_one_key_however_it_is_written() {
        let same = [
            (Some("053286017"), "81431829922", Some("05328601"), "0081431829922"),
            (Some("DEUTDEFFXXX"), "123 456", Some("deutdeff"), "123-456"),
            (Some("COBADEFF"), "DE89 3704 0044 0532 0130 00", None, "de89370400440532013000"),
            (None, "MID000001", Some(""), "mid 000001"),
        ];
        for (bank, account, other_bank, other) in same {
            assert_eq!(vault().key(bank, account), vault().key(other_bank, other), "{account}");
        }
        let different = [
            (Some("053286017"), "81431829922", Some("053286018"), "81431829922"),
            (Some("071300001"), "550000111", Some("071300014"), "550000111"),
            (None, "X0012", None, "X12"),
        ];
        for (bank, account, other_bank, other) in different {
            assert_ne!(vault().key(bank, account), vault().key(other_bank, other), "{account}");
        }
        assert_eq!(vault().key(Some("071300001"), " - "), None);
    }

    #[test]
    fn a_sealed_number_shows_four_digits_and_only_the_vault_reads_it() {
        let sealed = vault().seal(Some("071300001"), "550000111").expect("sealing works").expect("a number");
        assert_eq!(sealed.last4, "0111");
        assert!(!format!("{sealed:?}").contains("550000"));
        assert_eq!(vault().reveal(&sealed.key, &sealed.ciphertext).expect("the same key reveals"), "550000111");
        let again = vault().seal(Some("071300001"), "550000111").expect("sealing works").expect("a number");
        assert_eq!(again.key, sealed.key);
        assert_ne!(again.ciphertext, sealed.ciphertext, "equal numbers must not show as equal ciphertexts");
        let stranger = Vault::from_master(&[8; 32]);
        assert!(stranger.reveal(&sealed.key, &sealed.ciphertext).is_err());
        assert!(vault().reveal(&AccountKey("another".into()), &sealed.ciphertext).is_err(), "a ciphertext cannot be moved");
    }

    #[test]
    fn a_home_keeps_its_key() {
        let home = tempfile::tempdir().expect("a folder");
        let first = Vault::open(home.path(), None).expect("makes a key");
        let second = Vault::open(home.path(), None).expect("reads the key");
        assert_eq!(first.fingerprint(), second.fingerprint());
        let other = Vault::open(home.path(), Some(&Secret::new("ab".repeat(32)))).expect("takes the key given");
        assert_ne!(first.fingerprint(), other.fingerprint());
        assert!(Vault::open(home.path(), Some(&Secret::new("abc".into()))).is_err());
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = fs::metadata(home.path().join(KEY_FILE)).expect("the key").permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
        fs::write(home.path().join(KEY_FILE), "spoiled").expect("writable");
        assert!(Vault::open(home.path(), None).is_err(), "a spoiled key is never replaced by a new one");
    }
}
