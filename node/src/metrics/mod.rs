//! Metrics: `/metrics` over HTTP, in OpenMetrics text, of one view of the node a scrape.
//!
//! It counts nothing itself but how long messages took: names and values are those of the variables of [`bulkstats`]. A
//! runtime of its own serves it, so that a scrape delays no admission and no operator.

mod collector;
mod latency;
mod refusals;

use std::net::TcpListener as StdListener;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::sync::Semaphore;

pub(crate) use self::latency::{Latencies, Procedure};
pub(crate) use self::refusals::LastRefusals;
use crate::error::NodeError;
use crate::interface::{Bounds, Interface, serve_each};

/// Where it is asked.
const PATH: &str = "/metrics";
/// What it answers.
const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
/// Scrapes at once; further ones wait.
const SCRAPES: usize = 2;
/// One request each, so that none is cut off between two.
const BOUNDS: Bounds = Bounds {
    connections: 16,
    head_bytes: 8 * 1024,
    life: Duration::from_secs(10),
    keep_alive: false,
};

/// What scrapes are answered from.
struct Scraped {
    interface: Arc<Interface>,
    places: Semaphore,
}

/// Serves scrapes until the runtime ends. Errors: the system gives no runtime.
pub(crate) fn serve(
    interface: Arc<Interface>,
    listener: StdListener,
) -> Result<Runtime, NodeError> {
    let what = "starting the metrics";
    let fail = |source| NodeError::System { what, source };
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    builder.worker_threads(1).enable_all();
    let runtime = builder.thread_name("metrics").build().map_err(fail)?;
    listener.set_nonblocking(true).map_err(fail)?;
    let listener = {
        let _runtime = runtime.enter();
        TcpListener::from_std(listener).map_err(fail)?
    };
    let scraped = Arc::new(Scraped {
        interface,
        places: Semaphore::new(SCRAPES),
    });
    let router = Router::new()
        .route(PATH, get(scrape))
        .fallback(async || (StatusCode::NOT_FOUND, "metrics are at /metrics\n"))
        .with_state(scraped);
    runtime.spawn(serve_each(listener, router, BOUNDS));
    Ok(runtime)
}

async fn scrape(State(scraped): State<Arc<Scraped>>) -> Response {
    // The semaphore is never closed, so that there is always a place in the end.
    let Ok(_place) = scraped.places.acquire().await else {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    };
    let interface = &scraped.interface;
    let view = interface.view().await;
    match collector::text(view, interface.clock.now().wall, interface) {
        Ok(text) => ([(header::CONTENT_TYPE, CONTENT_TYPE)], text).into_response(),
        Err(error) => {
            event!(METRICS_UNWRITTEN, %error);
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}
