//! PostgreSQL databases of their own: made for one run and dropped after it.

use std::time::Duration;

use anyhow::{Context, ensure};
use sqlx::{AnyConnection, AssertSqlSafe, Connection, Executor};
use tokio::time::timeout;

/// How long a server may take to answer.
const ANSWER: Duration = Duration::from_secs(5);

/// A database that was made for one run. It stays until it is dropped on purpose.
#[derive(Debug)]
pub struct Scratch {
    /// Address of a database of the server, from which the other is made and dropped.
    server: String,
    name: String,
}

impl Scratch {
    /// Makes the database `name` on the server of the address `postgres://…/DATABASE`. One of that name must not be there.
    pub async fn create(server: &str, name: &str) -> anyhow::Result<Self> {
        let plain = name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
        ensure!(plain && !name.is_empty(), "{name:?} is no plain name of a database");
        administer(server, &format!("create database {name}")).await.with_context(|| format!("making the database {name}"))?;
        Ok(Self { server: server.to_owned(), name: name.to_owned() })
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its address: that of the server with another database.
    pub fn url(&self) -> String {
        let (address, options) = self.server.split_once('?').unwrap_or((&self.server, ""));
        let base = address.rsplit_once('/').map_or(address, |(base, _)| base);
        let mark = if options.is_empty() { "" } else { "?" };
        format!("{base}/{}{mark}{options}", self.name)
    }

    /// Drops it, whoever is still connected.
    pub async fn remove(self) -> anyhow::Result<()> {
        let sql = format!("drop database {} with (force)", self.name);
        administer(&self.server, &sql).await.with_context(|| format!("dropping the database {}", self.name))
    }
}

async fn administer(server: &str, sql: &str) -> anyhow::Result<()> {
    sqlx::any::install_default_drivers();
    let asking = async {
        let mut connection = AnyConnection::connect(server).await?;
        connection.execute(AssertSqlSafe(sql)).await?;
        connection.close().await
    };
    let asked = timeout(ANSWER, asking).await.context("the server does not answer; start it, or correct the address")?;
    Ok(asked?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn its_address_is_the_servers_with_another_database() {
        let url = |server: &str| Scratch { server: server.to_owned(), name: "run_1".to_owned() }.url();
        assert_eq!(url("postgres://me@host:5432/books"), "postgres://me@host:5432/run_1");
        assert_eq!(url("postgres://host/books?sslmode=require"), "postgres://host/run_1?sslmode=require");
    }
}
