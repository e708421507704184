//! Reports: up to 100,000 lines, written as they are read, from one state of the store. Whether there are more than these is
//! known, and said, before the first.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use api::csv;
use axum::body::{Body, Bytes};
use axum::http::{HeaderName, HeaderValue};
use futures_core::Stream;
use serde::Serialize;
use serde_json::Value;
use tokio::sync::mpsc;
use tokio::time::timeout;

use super::calls::virtual_accounts;
use super::{Answer, Call};
use crate::admin::devices::{self, Page};
use crate::admin::records::{self, Before};
use crate::admin::{Problem, invalid, pools, transfers as moved};
use crate::store::{self, StoreError, Tx};

/// Most lines of a report.
const LINES_MAX: usize = 100_000;
/// Lines that are read at once.
const PAGE: i64 = 500;
/// Pieces that wait to be sent.
const PIECES: usize = 4;
/// Says whether there are no lines but these, before a body of CSV as of JSON.
const COMPLETE: HeaderName = HeaderName::from_static("report-complete");
/// Longest time that a reader may take for a piece.
const STALLED: Duration = Duration::from_secs(30);

type Answered = Result<Answer, Problem>;
type Rows = Result<(Vec<Value>, bool), StoreError>;
/// Lines of a report, and with what the next ones are asked for; none: there are no more.
type Lines = Result<(Vec<Value>, Option<i64>), StoreError>;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Format {
    Csv,
    Json,
}

/// Where a report goes, piece by piece.
struct Writer {
    pieces: mpsc::Sender<Result<Bytes, StoreError>>,
    format: Format,
    columns: &'static [&'static str],
    /// There are no lines but these.
    complete: bool,
    begun: bool,
    lines: usize,
}

/// The pieces as a body takes them.
struct Pieces(mpsc::Receiver<Result<Bytes, StoreError>>);

impl Stream for Pieces {
    type Item = Result<Bytes, StoreError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.poll_recv(context)
    }
}

const LICENSES: &[&str] = &[
    "virtualAccount",
    "license",
    "tag",
    "quantity",
    "inUse",
    "granted",
    "available",
    "needed",
    "status",
    "grants",
    "licenseDetails",
];
const DEVICES: &[&str] = &[
    "productInstanceIdentifier",
    "displayName",
    "hostName",
    "virtualAccount",
    "productName",
    "softwareVersion",
    "status",
    "registrationDate",
    "renewalDate",
    "lastContactDate",
    "lastReport",
    "reportsForked",
    "reportGaps",
    "licenseUsage",
];
const USAGE: &[&str] = &[
    "productInstanceIdentifier",
    "displayName",
    "virtualAccount",
    "tag",
    "reports",
    "licenseHours",
    "peak",
];
const AUDIT: &[&str] = &[
    "id",
    "at",
    "virtualAccount",
    "who",
    "action",
    "object",
    "before",
    "after",
];

const TRANSFERS: &[&str] = &[
    "id", "at", "who", "kind", "object", "quantity", "from", "to",
];

/// Licenses.
pub(crate) async fn licenses(call: Call) -> Answered {
    let mut tx = call.authority.store.read().await?;
    let here = virtual_accounts(&call, &mut tx).await?;
    let keys = pools::keys(&mut tx, here).await?;
    let more = keys.len() > LINES_MAX;
    stream(call, tx, LICENSES, more, |call, mut tx, writer| {
        writer.pages(async move |done| {
            let page = keys.chunks(PAGE.unsigned_abs() as usize).nth(done as usize);
            let page = page.unwrap_or_default();
            let rows = pools::pools(&call.authority, &mut tx, page, call.now).await?;
            Ok((values(&rows), (!rows.is_empty()).then_some(done + 1)))
        })
    })
    .await
}

/// Instances.
pub(crate) async fn devices(call: Call) -> Answered {
    let sql = "SELECT EXISTS (SELECT 1 FROM instances
        WHERE account = $1 AND ($2 = 0 OR va = $2) LIMIT 1 OFFSET $3)";
    let (tx, more) = begin(&call, sql).await?;
    stream(call, tx, DEVICES, more, |call, mut tx, writer| {
        writer.pages(async move |after| {
            let page = Page {
                after,
                limit: PAGE,
                gone: true,
            };
            let rows = devices::list(&call.authority, &mut tx, call.place, page).await?;
            Ok((values(&rows), rows.last().map(|last| last.id)))
        })
    })
    .await
}

/// What instances used.
pub(crate) async fn usage(call: Call) -> Answered {
    let sql = "SELECT EXISTS (SELECT 1 FROM usage_sums s JOIN instances i ON i.id = s.instance
        WHERE i.account = $1 AND ($2 = 0 OR s.va = $2) LIMIT 1 OFFSET $3)";
    let (tx, more) = begin(&call, sql).await?;
    stream(call, tx, USAGE, more, |call, mut tx, writer| {
        writer.pages(async move |after| {
            let (rows, last) = records::usage(&mut tx, call.place, after, PAGE).await?;
            Ok((values(&rows), last))
        })
    })
    .await
}

/// The audit log.
pub(crate) async fn audit(call: Call) -> Answered {
    let sql = "SELECT EXISTS (SELECT 1 FROM audit
        WHERE account = $1 AND ($2 = 0 OR va = $2) LIMIT 1 OFFSET $3)";
    let (tx, more) = begin(&call, sql).await?;
    stream(call, tx, AUDIT, more, |call, mut tx, writer| {
        writer.pages(async move |id| {
            let rows = records::audit(&mut tx, call.place, Before { id, limit: PAGE }).await?;
            Ok((values(&rows), rows.last().map(|last| last.id)))
        })
    })
    .await
}

/// Transfers.
pub(crate) async fn transfers(call: Call) -> Answered {
    let sql = "SELECT EXISTS (SELECT 1 FROM transfers
        WHERE account = $1 AND ($2 = 0 OR source = $2 OR target = $2) LIMIT 1 OFFSET $3)";
    let (tx, more) = begin(&call, sql).await?;
    stream(call, tx, TRANSFERS, more, |call, mut tx, writer| {
        writer.pages(async move |id| {
            let rows = moved::list(&mut tx, call.place, Before { id, limit: PAGE }).await?;
            Ok((values(&rows), rows.last().map(|last| last.id)))
        })
    })
    .await
}

fn values<T: Serialize>(rows: &[T]) -> Vec<Value> {
    let rows = rows.iter().map(serde_json::to_value);
    rows.filter_map(Result::ok).collect()
}

/// The state of the store that a report is of, and whether there are more lines in it than a report has.
async fn begin(call: &Call, sql: &'static str) -> Result<(Tx, bool), Problem> {
    let mut tx = call.authority.store.read().await?;
    let more = store::query_scalar(sql)
        .bind(call.place.account)
        .bind(call.place.va)
        .bind(LINES_MAX as i64)
        .fetch_one(&mut tx)
        .await?;
    Ok((tx, more))
}

async fn stream<F, W>(
    call: Call,
    tx: Tx,
    columns: &'static [&'static str],
    more: bool,
    write: F,
) -> Answered
where
    F: FnOnce(Call, Tx, Writer) -> W,
    W: Future<Output = ()> + Send + 'static,
{
    let (format, kind) = match call.query.get("format").map(String::as_str) {
        None | Some("csv") => (Format::Csv, "text/csv; charset=utf-8"),
        Some("json") => (Format::Json, "application/json"),
        Some(_) => return invalid("format is csv or json"),
    };
    let (pieces, received) = mpsc::channel(PIECES);
    let writer = Writer {
        pieces,
        format,
        columns,
        complete: !more,
        begun: false,
        lines: 0,
    };
    let place = Arc::clone(&call.authority.reports).try_acquire_owned();
    let Ok(place) = place else {
        return Err(Problem::TooMany("too many reports at once; try again"));
    };
    let written = write(call, tx, writer);
    tokio::spawn(async move {
        written.await;
        drop(place);
    });
    let complete = HeaderValue::from_static(if more { "false" } else { "true" });
    let body = Body::from_stream(Pieces(received));
    Ok(Answer::Stream(kind, (COMPLETE, complete), body))
}

impl Writer {
    /// Writes page after page: the first is asked for with 0, the next one with what the last one gave; none: it was the
    /// last.
    async fn pages(mut self, mut read: impl AsyncFnMut(i64) -> Lines) {
        let mut with = 0;
        loop {
            let page = read(with).await.map(|(rows, next)| {
                with = next.unwrap_or(with);
                (rows, next.is_some())
            });
            if !self.page(page).await {
                return;
            }
        }
    }

    /// Writes a page, and says whether there is to be another one.
    async fn page(&mut self, rows: Rows) -> bool {
        let (mut rows, more) = match rows {
            Ok(rows) => rows,
            Err(error) => {
                tracing::error!(%error, "a report was broken off");
                self.send(Err(error)).await;
                return false;
            }
        };
        rows.truncate(LINES_MAX - self.lines);
        let more = more && self.lines + rows.len() < LINES_MAX;
        let text = match self.format {
            Format::Csv => self.csv(&rows),
            Format::Json => self.json(&rows, !more),
        };
        self.begun = true;
        self.lines += rows.len();
        self.send(Ok(text.into())).await && more
    }

    async fn send(&self, piece: Result<Bytes, StoreError>) -> bool {
        matches!(timeout(STALLED, self.pieces.send(piece)).await, Ok(Ok(())))
    }

    fn csv(&self, rows: &[Value]) -> String {
        let mut text = String::new();
        if !self.begun {
            text = csv::line(self.columns.iter().map(|column| (*column).into()));
        }
        for row in rows {
            let cells = self.columns.iter().map(|column| csv::cell(&row[column]));
            text.push_str(&csv::line(cells));
        }
        text
    }

    /// A piece of one object, whose `rows` are a line each.
    fn json(&self, rows: &[Value], last: bool) -> String {
        let mut text = match self.begun {
            true => String::new(),
            false => format!("{{\"complete\":{},\"rows\":[", self.complete),
        };
        for (place, row) in rows.iter().enumerate() {
            let first = self.lines == 0 && place == 0;
            text.push_str(if first { "\n" } else { ",\n" });
            text.push_str(&row.to_string());
        }
        if last {
            text.push_str("\n]}\n");
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[tokio::test]
    async fn pieces_are_one_object_or_one_table() {
        for (format, expected) in [
            (
                Format::Json,
                "{\"complete\":true,\"rows\":[\n{\"a\":1},\n{\"a\":2}\n]}\n",
            ),
            (Format::Csv, "a\r\n1\r\n2\r\n"),
        ] {
            let (pieces, mut received) = mpsc::channel(9);
            let mut writer = Writer {
                pieces,
                format,
                columns: &["a"],
                complete: true,
                begun: false,
                lines: 0,
            };
            for (rows, more) in [
                (vec![], true),
                (vec![json!({ "a": 1 })], true),
                (vec![json!({ "a": 2 })], true),
                (vec![], false),
            ] {
                assert_eq!(writer.page(Ok((rows, more))).await, more);
            }
            drop(writer);
            let mut whole = Vec::new();
            while let Some(piece) = received.recv().await {
                whole.extend_from_slice(&piece.unwrap());
            }
            assert_eq!(String::from_utf8(whole).unwrap(), expected);
        }
    }
}
