//! Bulk statistics: operators' commands, and how they are.

use std::time::Duration;

use api::{BULKSTATS_ANSWER_S, BulkstatsCommand, Failure, Reply};
use axum::http::StatusCode;
use tokio::sync::oneshot;

use super::{Interface, Refused, within};
use crate::bulkstats::{BulkstatsAsk, shown};

/// Longest wait for the thread of bulk statistics.
const ANSWER: Duration = Duration::from_secs(BULKSTATS_ANSWER_S);

impl Interface {
    /// How they are.
    pub(super) fn bulkstats(&self) -> Reply {
        let stalled = self.vitals.bulkstats_stalled(self.clock.now().mono);
        let status = shown::status(&self.bulkstats.shown.load(), stalled);
        Reply::Bulkstats {
            bulkstats: Box::new(status),
        }
    }

    /// Has a command done; the answer comes when it is.
    pub(super) async fn command_bulkstats(
        &self,
        command: BulkstatsCommand,
    ) -> Result<Reply, Refused> {
        let ask = |done| BulkstatsAsk::Command(command, done);
        self.ask_bulkstats(ask).await?;
        Ok(Reply::Done { changed: true })
    }

    /// What waits and is not complete.
    pub(super) async fn bulkstats_data(&self) -> Result<Reply, Refused> {
        let files = self.ask_bulkstats(BulkstatsAsk::Data).await?;
        Ok(Reply::BulkstatsData { files })
    }

    async fn ask_bulkstats<T>(
        &self,
        ask: impl FnOnce(oneshot::Sender<T>) -> BulkstatsAsk,
    ) -> Result<T, Refused> {
        let (reply, answer) = oneshot::channel();
        let asked = self.bulkstats.asks.try_send(ask(reply));
        asked.map_err(|_| no_bulkstats("the thread of bulk statistics takes nothing"))?;
        let answer = within(ANSWER, answer).await;
        answer.ok_or_else(|| no_bulkstats("the thread of bulk statistics has not answered"))
    }
}

fn no_bulkstats(what: &str) -> Refused {
    let todo = "see show bulkstats and the log; what was asked for may still be under way";
    let failure = Failure::new(what, "bulk statistics", todo);
    (StatusCode::SERVICE_UNAVAILABLE, failure)
}
