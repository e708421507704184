//! The list of revoked certificates: signed once, and handed out until another certificate is revoked or it grows old.
//!
//! Whoever asks for it proves nothing, so that an answer costs no signature and no more than one row.

use axum::body::Bytes;
use licensing::Wall;
use tokio::sync::Mutex;

use crate::authority::Authority;
use crate::moment::{DAY_MS, Moment, put_setting, setting};
use crate::pki::CRL_MS;
use crate::smart::Refusal;
use crate::store::{self, StoreError, Tx};

/// Name of the setting that counts revocations.
const REVOCATIONS: &str = "revocations";
/// A list is signed anew when so much of its time is left.
const REFRESH_MS: i64 = CRL_MS / 2;
/// Lists tell their dates by the second, and nodes take a newer one alone.
const SECOND_MS: i64 = 1_000;

/// A list that was signed.
#[derive(Clone, Debug)]
struct Signed {
    list: Bytes,
    /// Revocations that there had been.
    revocations: u64,
    made: Wall,
}

/// The last list that was signed; whoever makes another one keeps others waiting for it.
#[derive(Debug, Default)]
pub(crate) struct Revocations(Mutex<Option<Signed>>);

/// A certificate was revoked.
pub(crate) async fn note(tx: &mut Tx) -> Result<(), StoreError> {
    let next = count(tx).await?.wrapping_add(1);
    put_setting(tx, REVOCATIONS, &next.to_string()).await
}

async fn count(tx: &mut Tx) -> Result<u64, StoreError> {
    let kept = setting(tx, REVOCATIONS).await?;
    Ok(kept.and_then(|text| text.parse().ok()).unwrap_or(0))
}

impl Authority {
    /// The revocation list of now, in DER.
    pub(crate) async fn crl(&self, now: Moment) -> Result<Bytes, Refusal> {
        let mut held = self.revocations.0.lock().await;
        let mut tx = self.store.read().await?;
        let revocations = count(&mut tx).await?;
        let made = held.as_ref().map(|signed| signed.made);
        let good = |signed: &&Signed| {
            let old_ms = now.date.0.saturating_sub(signed.made.0);
            signed.revocations == revocations && (-DAY_MS..CRL_MS - REFRESH_MS).contains(&old_ms)
        };
        if let Some(signed) = held.as_ref().filter(good) {
            return Ok(signed.list.clone());
        }
        let revoked = revoked(&mut tx, now).await?;
        drop(tx);
        let after = made.map_or(i64::MIN, |made| made.0.saturating_add(SECOND_MS));
        let made = Wall(now.date.0.max(after));
        let list = Bytes::from(self.pki.crl(&revoked, made)?.0);
        *held = Some(Signed {
            list: list.clone(),
            revocations,
            made,
        });
        Ok(list)
    }
}

/// Serial numbers that are revoked and whose certificates have not ended, and since when.
async fn revoked(tx: &mut Tx, now: Moment) -> Result<Vec<(Vec<u8>, Wall)>, StoreError> {
    let rows: Vec<(String, i64)> = store::query_as(
        "SELECT serial, revoked FROM certificates WHERE revoked IS NOT NULL AND ends > $1
         ORDER BY serial",
    )
    .bind(now.date.0)
    .fetch_all(tx)
    .await?;
    let revoked = rows.iter().filter_map(|(serial, at)| {
        let octets = serial.as_bytes().chunks(2).map(|pair| {
            let pair = std::str::from_utf8(pair).ok()?;
            u8::from_str_radix(pair, 16).ok()
        });
        Some((octets.collect::<Option<Vec<u8>>>()?, Wall(*at)))
    });
    Ok(revoked.collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rig::Rig;
    use x509_parser::prelude::{CertificateRevocationList, FromDer};

    fn read(list: &Bytes) -> (i64, i64, usize) {
        let (_, read) = CertificateRevocationList::from_der(list).unwrap();
        let next = read.next_update().unwrap().timestamp();
        let revoked = read.iter_revoked_certificates().count();
        (read.last_update().timestamp(), next, revoked)
    }

    #[tokio::test]
    async fn a_list_is_signed_once_until_another_certificate_is_revoked() {
        let rig = Rig::new().await;
        let node = rig.node(1).await;
        let first = rig.authority.crl(rig.now).await.unwrap();
        let again = rig.authority.crl(rig.now).await.unwrap();
        // Two signatures of one list are never the same.
        assert_eq!(first, again);
        rig.deregister(&node).await.unwrap();
        let next = rig.authority.crl(rig.now).await.unwrap();
        let (before, after) = (read(&first), read(&next));
        assert_eq!((before.2, after.2), (0, 1));
        assert_eq!(after.0, before.0 + 1, "nodes take a newer one alone");
        assert_eq!(next, rig.authority.crl(rig.now).await.unwrap());
    }

    #[tokio::test]
    async fn a_list_is_signed_anew_long_before_its_end_and_lets_go_of_what_has_ended() {
        let mut rig = Rig::new().await;
        let node = rig.node(1).await;
        rig.deregister(&node).await.unwrap();
        let first = rig.authority.crl(rig.now).await.unwrap();
        let (made, next, _) = read(&first);
        assert_eq!(next - made, 30 * 86_400);
        rig.pass_days(15);
        rig.pass(-1);
        assert_eq!(rig.authority.crl(rig.now).await.unwrap(), first);
        rig.pass(1);
        let second = rig.authority.crl(rig.now).await.unwrap();
        assert_eq!(read(&second).0, made + 15 * 86_400);
        assert_eq!(read(&second).2, 1);
        rig.pass_days(350);
        let later = rig.authority.crl(rig.now).await.unwrap();
        assert_eq!(read(&later).2, 0, "its certificate has ended");
    }

    #[tokio::test]
    async fn what_was_revoked_before_a_start_is_in_the_list_after_it() {
        let rig = Rig::new().await;
        let node = rig.node(1).await;
        rig.deregister(&node).await.unwrap();
        rig.authority.close().await;
        let (again, _) = crate::rig::open(rig.dir.path(), None, rig.now.wall).await;
        let list = again.crl(rig.now).await.unwrap();
        assert_eq!(read(&list).2, 1);
    }
}
