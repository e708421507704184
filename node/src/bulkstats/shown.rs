//! Bulk statistics as surfaces show them.

use api::{BulkstatsFile, BulkstatsReceiver, BulkstatsSchema, BulkstatsStatus, BulkstatsTransfer};
use bulkstats::collector::{FileStatus, Status, TransferError};
use bulkstats::config::Receiver;

/// All of it; `stalled`: nobody works on it now.
pub(crate) fn status(status: &Status, stalled: bool) -> BulkstatsStatus {
    BulkstatsStatus {
        collection: status.collection,
        sample_interval_min: status.sample_interval_min,
        transfer_interval_min: status.transfer_interval_min,
        limit_bytes: status.limit_bytes,
        historical_days: status.historical_days,
        samples: status.samples,
        skipped: status.skipped,
        repeated: status.repeated,
        lost: status.lost,
        discarding: status.discarding,
        not_written: status.storage_failing,
        stalled,
        files: status.files.iter().map(file).collect(),
    }
}

fn file(status: &FileStatus) -> BulkstatsFile {
    let (config, counts) = (&status.config, &status.statistics);
    let schemas = config.schemas.iter().map(|schema| BulkstatsSchema {
        schema: schema.schema.to_string(),
        name: schema.name.clone(),
        format: schema.format.clone(),
    });
    BulkstatsFile {
        number: config.number,
        lacks: status.lacks.as_ref().map(ToString::to_string),
        remotefile: config.remote.clone(),
        header: config.header.clone(),
        footer: config.footer.clone(),
        gzip: config.gzip,
        schemas: schemas.collect(),
        primary: receiver(config.primary.as_ref(), status.primary_error.as_ref()),
        secondary: receiver(config.secondary.as_ref(), status.secondary_error.as_ref()),
        on_secondary: status.on_secondary,
        failing: status.failing,
        awaiting_records: status.awaiting_records,
        awaiting_bytes: status.awaiting_bytes,
        awaiting_files: status.awaiting_files,
        collected_records: counts.collected_records,
        collected_bytes: counts.collected_bytes,
        transmitted_records: counts.transmitted_records,
        transmitted_bytes: counts.transmitted_bytes,
        discarded_records: counts.discarded_records,
        discarded_bytes: counts.discarded_bytes,
        last_transfer: counts.last.map(|last| BulkstatsTransfer {
            at: last.at,
            took_s: last.took_s,
            records: last.records,
            bytes: last.bytes,
        }),
        last_attempt: counts.last_attempt,
    }
}

fn receiver(
    receiver: Option<&Receiver>,
    error: Option<&TransferError>,
) -> Option<BulkstatsReceiver> {
    let receiver = receiver?;
    Some(BulkstatsReceiver {
        address: receiver.address.clone(),
        mechanism: receiver.mechanism.to_string(),
        login: receiver.login.clone(),
        error: error.map(ToString::to_string),
    })
}
