//! Connections and files that went bad: the first is replaced, the second is named.

use std::{fs, sync::Arc};

use crate::store::{
    Db, is_read_only,
    testing::{Fresh, on_both, ticking},
};

/// More than the pool holds.
const MANY: usize = 20;

on_both! {
    /// A commit on a full disk leaves a connection that believes to be inside a transaction which SQLite has ended; so does this.
    async fn a_connection_whose_transaction_ended_behind_its_back_is_not_used_again(fresh) {
        for _ in 0..MANY {
            let mut tx = fresh.db.begin().await.expect("a connection that can begin");
            tx.run("rollback", Vec::new()).await.expect("it ends");
            // SQLite says that there is nothing to commit, PostgreSQL only warns.
            let _ = tx.commit().await;
        }
        for _ in 0..MANY {
            fresh.db.read().await.expect("a connection that can read").rollback().await.expect("it ends");
        }
    }
}

on_both! {
    /// What went wrong first is what people are told, even where the connection cannot even roll back.
    async fn the_first_error_is_told(fresh) {
        let failed = fresh.db.transact(async |tx| {
            tx.run("rollback", Vec::new()).await?;
            anyhow::bail!("the disk was full");
            #[expect(unreachable_code, reason = "it gives the closure its type")]
            Ok(())
        });
        assert_eq!(failed.await.expect_err("it fails").to_string(), "the disk was full");
    }
}

#[tokio::test]
async fn a_file_that_is_no_database_is_named_at_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("tieout.db");
    fs::write(&path, "this is a letter, and no database at all\n".repeat(200)).expect("writable");
    let error = Db::open(&format!("sqlite:{}", path.display()), ticking(&Arc::default())).await.err().expect("it is refused");
    assert!(format!("{error:#}").contains("no SQLite database, or it is damaged; restore it"), "{error:#}");
}

#[tokio::test]
async fn a_file_that_may_only_be_read_is_read() {
    let fresh = Fresh::sqlite().await;
    fresh.db.transact(async |tx| tx.keep_setting("kept", "yes").await).await.expect("written");
    let db = Db::open_to_read(fresh.url(), ticking(&Arc::default())).await.expect("it opens beside its writer");
    let mut tx = db.read().await.expect("it reads");
    assert_eq!(tx.number("select count(*) from setting where name = 'kept'", Vec::new()).await.expect("read"), 1);
    tx.rollback().await.expect("it ends");
    let refused = db.transact(async |tx| tx.keep_setting("more", "no").await).await.expect_err("it does not write");
    assert!(is_read_only(&refused), "{refused:#}");
    db.close().await;
    fresh.close().await;
}
