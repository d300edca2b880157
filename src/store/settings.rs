//! Facts about the database itself.

use super::{
    Tx,
    value::{Columns, values},
};

impl Tx {
    /// Keeps a fact if none is kept under the name, and returns the one that is.
    pub async fn keep_setting(&mut self, name: &str, value: &str) -> anyhow::Result<String> {
        self.run("insert into setting (name, value) values ($1, $2) on conflict (name) do nothing", values![name, value]).await?;
        let row = self.first("select value from setting where name = $1", values![name]).await?;
        row.map(|row| Columns::of(&row).text()).unwrap_or_else(|| Ok(value.to_owned()))
    }
}
