//! Brings the tables up to date, once, in one transaction, whoever comes first.

use anyhow::bail;
use sha2::{Digest, Sha256};
use sqlx::Row;

use super::{Backend, Db, value::values};
use crate::hex;

/// One step of the schema, in both dialects.
struct Migration {
    version: i64,
    name: &'static str,
    sqlite: &'static str,
    postgres: &'static str,
}

const MIGRATIONS: &[Migration] = &[
    Migration {
        version: 1,
        name: "first",
        sqlite: include_str!("migrations/sqlite/0001_first.sql"),
        postgres: include_str!("migrations/postgres/0001_first.sql"),
    },
    Migration {
        version: 2,
        name: "seller_of_return",
        sqlite: include_str!("migrations/sqlite/0002_seller_of_return.sql"),
        postgres: include_str!("migrations/postgres/0002_seller_of_return.sql"),
    },
    Migration {
        version: 3,
        name: "sources",
        sqlite: include_str!("migrations/sqlite/0003_sources.sql"),
        postgres: include_str!("migrations/postgres/0003_sources.sql"),
    },
    Migration {
        version: 4,
        name: "certificate",
        sqlite: include_str!("migrations/sqlite/0004_certificate.sql"),
        postgres: include_str!("migrations/postgres/0004_certificate.sql"),
    },
    Migration {
        version: 5,
        name: "rule_life",
        sqlite: include_str!("migrations/sqlite/0005_rule_life.sql"),
        postgres: include_str!("migrations/postgres/0005_rule_life.sql"),
    },
    Migration {
        version: 6,
        name: "edi_ids",
        sqlite: include_str!("migrations/sqlite/0006_edi_ids.sql"),
        postgres: include_str!("migrations/postgres/0006_edi_ids.sql"),
    },
    Migration {
        version: 7,
        name: "rows_without_account",
        sqlite: include_str!("migrations/sqlite/0007_rows_without_account.sql"),
        postgres: include_str!("migrations/postgres/0007_rows_without_account.sql"),
    },
    Migration {
        version: 8,
        name: "second_thoughts",
        sqlite: include_str!("migrations/sqlite/0008_second_thoughts.sql"),
        postgres: include_str!("migrations/postgres/0008_second_thoughts.sql"),
    },
    Migration {
        version: 9,
        name: "learned",
        sqlite: include_str!("migrations/sqlite/0009_learned.sql"),
        postgres: include_str!("migrations/postgres/0009_learned.sql"),
    },
];

/// Applies what is missing and refuses a database whose applied steps are not ours.
pub(super) async fn run(db: &Db) -> anyhow::Result<()> {
    let mut tx = db.begin().await?;
    if db.backend() == Backend::Postgres {
        // Two processes that start together must not both create the tables.
        tx.run("select pg_advisory_xact_lock(7341201)", Vec::new()).await?;
    }
    tx.run("create table if not exists migration (version bigint primary key, name text not null, sha256 text not null, at text not null)", Vec::new())
        .await?;
    let applied = tx.all("select version, sha256 from migration order by version", Vec::new()).await?;
    for row in &applied {
        let (version, sha256): (i64, String) = (row.try_get(0)?, row.try_get(1)?);
        let Some(known) = MIGRATIONS.iter().find(|migration| migration.version == version) else {
            bail!("the database is at schema version {version}, newer than this program knows; use the newer program");
        };
        if sha256_of(known.text(db.backend())) != sha256 {
            bail!(
                "schema version {version} ({}) of the database differs from ours; restore a backup or use the program that made it",
                known.name
            );
        }
    }
    let versions = applied.iter().map(|row| row.try_get(0)).collect::<Result<Vec<i64>, _>>()?;
    for migration in MIGRATIONS.iter().filter(|migration| !versions.contains(&migration.version)) {
        let text = migration.text(db.backend());
        tx.script(text).await?;
        let at = tx.stamp().to_owned();
        let row = values![migration.version, migration.name, sha256_of(text), at];
        tx.run("insert into migration (version, name, sha256, at) values ($1, $2, $3, $4)", row).await?;
    }
    tx.commit().await
}

/// Refuses a database that would first have to be brought up to date.
pub(super) async fn ensure_current(db: &Db) -> anyhow::Result<()> {
    let mut tx = db.read().await?;
    let applied = tx.number("select count(*) from migration", Vec::new()).await?;
    tx.rollback().await?;
    let known = i64::try_from(MIGRATIONS.len())?;
    anyhow::ensure!(
        applied == known,
        "the database is at schema step {applied} and this program reads step {known}; run tieout check once where the database may be written"
    );
    Ok(())
}

impl Migration {
    const fn text(&self, backend: Backend) -> &'static str {
        match backend {
            Backend::Sqlite => self.sqlite,
            Backend::Postgres => self.postgres,
        }
    }
}

/// SHA-256 as lower-case hex.
fn sha256_of(text: &str) -> String {
    hex::encode(&Sha256::digest(text.as_bytes()))
}
