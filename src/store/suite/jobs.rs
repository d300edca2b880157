//! Jobs: once in, once done, whatever happens in between.

use serde_json::json;

use crate::{
    domain::JobId,
    store::{Backend, Db, Fate, NewJob, TRIES_MAX, testing::on_both},
};

fn job(key: &str) -> NewJob {
    NewJob { kind: "parse".to_owned(), key: key.to_owned(), payload: json!({ "file": 3 }) }
}

async fn fail(db: &Db, id: JobId, error: &str) -> Fate {
    db.transact(async |tx| tx.fail_job(id, error).await).await.unwrap()
}

on_both! {
    async fn a_job_is_stored_once_and_done_once(fresh) {
        let db = &fresh.db;
        let mut tx = db.begin().await.unwrap();
        assert_eq!(tx.enqueue(&[job("parse:3"), job("parse:4")]).await.unwrap(), 2);
        assert_eq!(tx.enqueue(&[job("parse:3")]).await.unwrap(), 0);
        tx.commit().await.unwrap();

        let mut tx = db.begin().await.unwrap();
        let claimed = tx.claim_next(&["match", "parse"]).await.unwrap().expect("a job is due");
        assert_eq!((claimed.key.as_str(), claimed.payload["file"].as_i64(), claimed.tries), ("parse:3", Some(3), 0));
        assert!(tx.claim_next(&["match"]).await.unwrap().is_none());
        assert!(tx.complete(claimed.id).await.unwrap());
        assert!(!tx.complete(claimed.id).await.unwrap(), "a job is done once");
        tx.commit().await.unwrap();

        let mut tx = db.begin().await.unwrap();
        assert_eq!(tx.jobs_left(&["parse"]).await.unwrap(), 1);
        assert!(tx.claim(claimed.id).await.unwrap().is_none());
        assert_eq!(tx.enqueue(&[job("parse:3")]).await.unwrap(), 0, "a done job does not come back");
    }
}

on_both! {
    async fn a_rolled_back_job_is_ready_again(fresh) {
        let db = &fresh.db;
        db.transact(async |tx| tx.enqueue(&[job("parse:3")]).await).await.unwrap();
        let mut tx = db.begin().await.unwrap();
        let claimed = tx.claim_next(&["parse"]).await.unwrap().expect("a job is due");
        assert!(tx.complete(claimed.id).await.unwrap());
        tx.rollback().await.unwrap();
        let mut tx = db.begin().await.unwrap();
        assert_eq!(tx.claim_next(&["parse"]).await.unwrap().map(|job| job.id), Some(claimed.id));
    }
}

on_both! {
    async fn a_claimed_job_is_passed_over_by_others(fresh) {
        let db = &fresh.db;
        if db.backend() == Backend::Sqlite {
            return; // One writer: nobody else can claim while a transaction is open.
        }
        db.transact(async |tx| tx.enqueue(&[job("parse:3"), job("parse:4")]).await).await.unwrap();
        let mut first = db.begin().await.unwrap();
        let mut second = db.begin().await.unwrap();
        assert_eq!(first.claim_next(&["parse"]).await.unwrap().map(|job| job.key).as_deref(), Some("parse:3"));
        assert_eq!(second.claim_next(&["parse"]).await.unwrap().map(|job| job.key).as_deref(), Some("parse:4"));
    }
}

on_both! {
    async fn a_failing_job_backs_off_and_is_parked(fresh) {
        let db = &fresh.db;
        db.transact(async |tx| tx.enqueue(&[job("parse:3")]).await).await.unwrap();
        let id = db.read().await.unwrap().due_jobs(&["parse"], 9).await.unwrap()[0].id;
        let mut waits = Vec::new();
        for _ in 1..TRIES_MAX {
            let Fate::Again { not_before } = fail(db, id, "the disk is full").await else { panic!("too early to park") };
            assert!(db.read().await.unwrap().due_jobs(&["parse"], 9).await.unwrap().is_empty(), "it waits first");
            assert_eq!(db.read().await.unwrap().next_due(&["parse"]).await.unwrap().as_deref(), Some(not_before.as_str()));
            waits.push(not_before);
            fresh.pass_seconds(600);
            assert_eq!(db.read().await.unwrap().due_jobs(&["parse"], 9).await.unwrap().len(), 1);
        }
        assert!(waits.is_sorted());
        assert_eq!(fail(db, id, "the disk is still full").await, Fate::Parked);
        let parked = db.read().await.unwrap().parked_jobs().await.unwrap();
        assert_eq!((parked.len(), parked[0].error.as_deref(), parked[0].tries), (1, Some("the disk is still full"), TRIES_MAX));
        assert_eq!(fail(db, id, "again").await, Fate::Done);
        db.transact(async |tx| tx.unpark(id).await).await.unwrap();
        assert_eq!(db.read().await.unwrap().due_jobs(&["parse"], 9).await.unwrap()[0].tries, 0);
    }
}

on_both! {
    /// Workers on many threads race for the same jobs; each job has its effect once.
    async fn racing_workers_do_each_job_once(fresh) {
        let db = &fresh.db;
        let jobs: Vec<_> = (0..40).map(|number| job(&format!("parse:{number}"))).collect();
        db.transact(async |tx| tx.enqueue(&jobs).await).await.unwrap();
        let workers: Vec<_> = (0..4).map(|_| {
            let db = db.clone();
            tokio::spawn(async move {
                let mut done = 0;
                while let Some(()) = db.transact(async |tx| {
                    let Some(job) = tx.claim_next(&["parse"]).await? else { return Ok(None) };
                    anyhow::ensure!(tx.complete(job.id).await?, "done twice");
                    tx.push_outbox(&[crate::store::NewMessage { key: job.key.clone(), topic: "t".to_owned(), payload: json!(null) }]).await?;
                    Ok(Some(()))
                }).await.unwrap() { done += 1 }
                done
            })
        }).collect();
        let mut done = 0;
        for worker in workers {
            done += worker.await.unwrap();
        }
        assert_eq!(done, 40);
        let mut tx = db.begin().await.unwrap();
        let waiting = tx.waiting_messages(100).await.unwrap();
        assert_eq!(waiting.len(), 40);
        let ids: Vec<_> = waiting.iter().map(|message| message.id).collect();
        assert_eq!(tx.mark_published(&ids[..30]).await.unwrap(), 30);
        assert_eq!(tx.mark_published(&ids[..31]).await.unwrap(), 1);
        assert_eq!(tx.waiting_messages(100).await.unwrap().len(), 9);
    }
}
