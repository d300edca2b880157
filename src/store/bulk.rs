//! Many rows in few statements.
//!
//! Rows go into the database in blocks of fixed sizes, so that there are few different statements and each connection
//! keeps them prepared.

use super::{Backend, Tx, value::Value};

/// Rows of the same width, ready to be written.
pub(super) struct Rows {
    width: usize,
    values: Vec<Value>,
}

/// Block sizes, largest first. PostgreSQL takes 65,535 values in a statement and SQLite 32,766: the widest table has
/// fewer than 40 columns.
const BLOCKS: [usize; 5] = [500, 100, 20, 5, 1];

impl Rows {
    pub(super) const fn of_width(width: usize) -> Self {
        Self { width, values: Vec::new() }
    }

    pub(super) fn push(&mut self, row: Vec<Value>) {
        debug_assert_eq!(row.len(), self.width, "a row has the width of its block");
        self.values.extend(row);
    }

    pub(super) fn len(&self) -> usize {
        self.values.len() / self.width
    }

    /// Cuts the rows into blocks of the fixed sizes.
    fn blocks(self) -> impl Iterator<Item = (usize, Vec<Value>)> {
        let width = self.width;
        let mut left = self.len();
        let mut values = self.values.into_iter();
        std::iter::from_fn(move || {
            let size = BLOCKS.into_iter().find(|size| *size <= left)?;
            left -= size;
            Some((size, values.by_ref().take(size * width).collect()))
        })
    }
}

impl Tx {
    /// Inserts rows; `columns` as in `a, b, c`, `tail` such as `on conflict (key) do nothing`. Tells how many went in.
    pub(super) async fn insert(&mut self, table: &str, columns: &str, tail: &str, rows: Rows) -> anyhow::Result<u64> {
        let width = rows.width;
        debug_assert_eq!(columns.split(',').count(), width, "{table}: as many values as columns");
        let mut inserted = 0;
        for (size, values) in rows.blocks() {
            let sql = format!("insert into {table} ({columns}) values {} {tail}", placeholders(self.backend(), size, width));
            inserted += self.run(&sql, values).await?;
        }
        Ok(inserted)
    }

    /// Runs `statement` over blocks of rows that it sees as the table `v(columns)`. Values in `rest` follow the rows' own.
    ///
    /// In `statement`, `{v}` stands for `with v(…) as (values …)`, and `{1}`, `{2}`, … for the values of `rest`.
    pub(super) async fn with_rows(
        &mut self,
        columns: &str,
        rows: Rows,
        statement: &str,
        rest: Vec<Value>,
    ) -> anyhow::Result<u64> {
        let mut touched = 0;
        for (sql, values) in statements(self.backend(), columns, rows, statement, rest) {
            touched += self.run(&sql, values).await?;
        }
        Ok(touched)
    }

    /// The same for a query.
    pub(super) async fn all_with_rows(
        &mut self,
        columns: &str,
        rows: Rows,
        statement: &str,
        rest: Vec<Value>,
    ) -> anyhow::Result<Vec<sqlx::any::AnyRow>> {
        let mut found = Vec::new();
        for (sql, values) in statements(self.backend(), columns, rows, statement, rest) {
            found.extend(self.all(&sql, values).await?);
        }
        Ok(found)
    }
}

fn statements(backend: Backend, columns: &str, rows: Rows, statement: &str, rest: Vec<Value>) -> Vec<(String, Vec<Value>)> {
    let width = rows.width;
    let rendered = rows.blocks().map(|(size, mut values)| {
        let mut sql = statement.replace("{v}", &format!("with v({columns}) as (values {})", placeholders(backend, size, width)));
        for (index, value) in rest.iter().enumerate() {
            sql = sql.replace(&format!("{{{}}}", index + 1), &format!("{}{}", sign(backend), size * width + index + 1));
            values.push(value.clone());
        }
        (sql, values)
    });
    rendered.collect()
}

/// `($1, $2), ($3, $4)` for two rows of two values; `(?, ?), (?, ?)` for SQLite, which looks numbered places up one by
/// one and takes quadratic time over a block of them.
fn placeholders(backend: Backend, rows: usize, width: usize) -> String {
    use std::fmt::Write as _;
    let mut text = String::with_capacity(rows * width * 7);
    let mut number = 1;
    for row in 0..rows {
        text.push_str(if row == 0 { "(" } else { ", (" });
        for column in 0..width {
            text.push_str(if column == 0 { "" } else { ", " });
            match backend {
                Backend::Sqlite => text.push('?'),
                // Writing to a String cannot fail.
                Backend::Postgres => _ = write!(text, "${number}"),
            }
            number += 1;
        }
        text.push(')');
    }
    text
}

/// What stands before the number of a place.
const fn sign(backend: Backend) -> char {
    match backend {
        Backend::Sqlite => '?',
        Backend::Postgres => '$',
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_cut_into_blocks_of_known_sizes() {
        let mut rows = Rows::of_width(2);
        for number in 0..627_i64 {
            rows.push(vec![Value::from(number), Value::from("x")]);
        }
        let sizes: Vec<_> = rows.blocks().map(|(size, values)| (size, values.len())).collect();
        assert_eq!(sizes, [(500, 1000), (100, 200), (20, 40), (5, 10), (1, 2), (1, 2)]);
        assert_eq!(placeholders(Backend::Postgres, 2, 2), "($1, $2), ($3, $4)");
        assert_eq!(placeholders(Backend::Sqlite, 2, 2), "(?, ?), (?, ?)");
    }

    #[test]
    fn a_statement_over_rows_numbers_its_own_values_last() {
        let mut rows = Rows::of_width(2);
        rows.push(vec![Value::from(1_i64), Value::from(2_i64)]);
        let update = "{v} update t set mark = {1} from v where t.id = v.id";
        let made = statements(Backend::Postgres, "id, closes", rows, update, vec![Value::from(9_i64)]);
        assert_eq!(made[0].0, "with v(id, closes) as (values ($1, $2)) update t set mark = $3 from v where t.id = v.id");
        assert_eq!(made[0].1.len(), 3);
    }
}
