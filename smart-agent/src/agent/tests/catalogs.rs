use api::CatalogStanding;
use api::smart::{CatalogOrder, Orders};
use licensing::Shadow;

use super::authority::DAY_MS;
use super::orders::{
    acknowledged, give, give_good, kept, of_keys, orders, rule, set_aside, shadow,
};
use super::*;

/// The embedded catalog, changed in one place.
fn changed(from: &str, to: &str) -> String {
    let text = Catalog::staros_text().replacen(from, to, 1);
    assert_ne!(text, Catalog::staros_text());
    text
}

/// With other sessions per license.
fn small() -> String {
    changed("sessions_per_license = 10_000", "sessions_per_license = 7")
}

/// A service after those of the embedded catalog.
const ONE_MORE: &str = r#"[[service]]
tag_id = 7
name = "MORE"
tag = "regid.2026-11.org.example.MORE,1.0_85a577a1-017d-4dc6-8bf7-4fac7c4d465a"
description = "One more"
sessions_per_license = 10_000
"#;

fn with_catalog(rig: &Rig, serial: u64, text: &str, not_after: Option<Wall>) -> Orders {
    let text = text.to_owned();
    Orders {
        catalog: Some(CatalogOrder { text, not_after }),
        ..orders(rig, serial, Vec::new())
    }
}

fn give_catalog(rig: &mut Rig, serial: u64, text: &str, not_after: Option<Wall>) {
    let given = of_keys(rig, &with_catalog(rig, serial, text, not_after));
    give(rig, given);
}

fn standing(rig: &Rig) -> Option<CatalogStanding> {
    let catalog = rig.agent.status(rig.now).orders.catalog;
    catalog.map(|catalog| catalog.standing)
}

fn per_license(rig: &Rig) -> u32 {
    rig.config.catalog.services()[0].sessions_per_license.get()
}

//= L1
//= L2
#[test]
fn an_ordered_catalog_is_that_of_the_next_start_until_it_is_withdrawn_or_ends() {
    let mut rig = Rig::registered();
    rig.use_of(service(PGW), 5);
    let until = Wall(START.0 + 2 * DAY_MS);
    give_catalog(&mut rig, 1, &small(), Some(until));
    assert_eq!(acknowledged(&rig), (1, None));
    assert_eq!(standing(&rig), Some(CatalogStanding::Pending));
    let shown = rig.agent.status(rig.now).orders.catalog.unwrap();
    let sha256 = crate::certificate::digest(small().as_bytes());
    assert_eq!((shown.sha256, shown.not_after), (sha256, Some(until)));
    rig.kill();
    assert_eq!(standing(&rig), Some(CatalogStanding::InForce));
    assert_eq!(per_license(&rig), 7);
    rig.run_by(2 * DAY, HOUR);
    assert_eq!(
        (standing(&rig), per_license(&rig)),
        (Some(CatalogStanding::Ending), 7),
        "its day has come"
    );
    rig.kill();
    assert_eq!((standing(&rig), per_license(&rig)), (None, 10_000));

    give_catalog(&mut rig, 2, &small(), None);
    rig.kill();
    assert_eq!(per_license(&rig), 7);
    give_good(&mut rig, 3, Vec::new());
    assert_eq!(standing(&rig), Some(CatalogStanding::Ending), "withdrawn");
    let shown = rig.agent.status(rig.now).orders.catalog.unwrap();
    assert_eq!((shown.sha256, shown.not_after), (sha256, None));
    rig.kill();
    assert_eq!((standing(&rig), per_license(&rig)), (None, 10_000));
}

//= L2
#[test]
fn an_older_text_brings_no_catalog_back() {
    let mut rig = Rig::registered();
    give_catalog(&mut rig, 1, &small(), None);
    let first = rig.authority.orders.clone().unwrap();
    give_good(&mut rig, 2, Vec::new());
    assert_eq!(standing(&rig), None);
    give(&mut rig, first);
    assert_eq!(standing(&rig), None);
    rig.command(LicenseCommand::RenewAuth).unwrap();
    let why = "their serial number is 1, and 2 is in force";
    assert_eq!(acknowledged(&rig), (2, Some(why.into())));
    rig.kill();
    assert_eq!((standing(&rig), per_license(&rig)), (None, 10_000));
}

//= L1
//= L2
#[test]
fn a_catalog_that_is_none_or_does_not_fit_is_set_aside_and_the_rest_is_in_force() {
    let mut rig = Rig::new();
    rig.config.fits = crate::config::Fits::new(|catalog| match catalog.service_named("MME") {
        Some(_) => Ok(()),
        None => Err("gateway.toml:9: no MME".into()),
    });
    rig.kill();
    rig.register().unwrap();
    rig.run(2 * SECOND);
    let cases = [
        (
            changed("sessions_per_license = 10_000", "sessions_per_license = 0"),
            "the catalog is refused: line 26: a license covers at least one session",
        ),
        (
            changed("name = \"MME\"", "name = \"MMX\"").replace("\"MME\"", "\"MMX\""),
            "the catalog does not go with the configuration: gateway.toml:9: no MME",
        ),
        ("nothing".into(), "the catalog is refused: line 1: "),
    ];
    for (serial, (text, said)) in (1..).zip(cases) {
        let given = Orders {
            orders: vec![rule(&rig, service(PGW))],
            ..with_catalog(&rig, serial, &text, None)
        };
        let given = of_keys(&rig, &given);
        give(&mut rig, given);
        for restart in [false, true] {
            rig.command(LicenseCommand::RenewAuth).unwrap();
            assert_eq!(acknowledged(&rig), (serial, None), "it is not refused");
            let why = set_aside(&rig).unwrap();
            assert!(why.starts_with(&format!("1 set aside: {said}")), "{why}");
            let status = rig.agent.status(rig.now).orders;
            let shown = status.catalog.unwrap();
            assert_eq!(shown.standing, CatalogStanding::SetAside, "{said}");
            assert!(shown.refusal.unwrap().starts_with(said), "{said}");
            assert_eq!((status.refused, status.refusal), (0, None));
            assert_eq!(rig.verdicts.orders.len(), 1, "{said}, {restart}");
            assert_eq!(per_license(&rig), 10_000);
            rig.kill();
        }
    }
    give_catalog(&mut rig, 4, &small(), None);
    assert_eq!((acknowledged(&rig), set_aside(&rig)), ((4, None), None));
    assert_eq!(standing(&rig), Some(CatalogStanding::Pending));
}

//= L2
#[test]
fn a_catalog_that_has_ended_is_set_aside_no_more() {
    let mut rig = Rig::registered();
    let until = Wall(START.0 + DAY_MS);
    give_catalog(&mut rig, 1, "nothing", Some(until));
    assert!(set_aside(&rig).is_some());
    rig.run_by(DAY, HOUR);
    rig.command(LicenseCommand::RenewAuth).unwrap();
    assert_eq!((acknowledged(&rig), set_aside(&rig)), ((1, None), None));
    assert_eq!(standing(&rig), None);
}

//= L2
#[test]
fn an_order_ends_while_the_node_is_down() {
    let mut rig = Rig::registered();
    let until = Wall(START.0 + DAY_MS);
    let given = Orders {
        orders: vec![
            rule(&rig, service(PGW)),
            shadow(&rig, service(SAEGW), Shadow::Warn, until),
        ],
        ..with_catalog(&rig, 1, &small(), Some(until))
    };
    let given = of_keys(&rig, &given);
    give(&mut rig, given);
    rig.kill();
    assert_eq!((rig.verdicts.orders.len(), per_license(&rig)), (2, 7));
    // The authority is away, so that the start goes by what was kept.
    rig.way = Way::Closed;
    rig.now.wall.0 += 2 * DAY_MS;
    rig.kill();
    let held: Vec<_> = rig.verdicts.orders.keys().copied().collect();
    assert_eq!((held, per_license(&rig)), (vec![service(PGW)], 10_000));
    let status = rig.agent.status(rig.now).orders;
    let listed: Vec<_> = status.orders.iter().map(|order| order.in_force).collect();
    assert_eq!(listed, [true, false]);
    assert_eq!((status.serial, standing(&rig)), (1, None));
}

/// A tag of a catalog that is ordered, and is withdrawn while it is in use. The process ends when what runs since the last report
/// is kept, or so soon after a report that nothing of it is.
//= L1
#[test]
fn use_of_a_tag_whose_catalog_was_withdrawn_is_reported_and_then_no_more() {
    for soon in [false, true] {
        let mut rig = Rig::registered();
        let text = format!("{}\n{ONE_MORE}", Catalog::staros_text());
        give_catalog(&mut rig, 1, &text, None);
        rig.kill();
        let more = service(ServiceIndex(7));
        let tag = rig.tag(more);
        let pool = Pool {
            owned: 100,
            exact: true,
            until: None,
        };
        rig.authority.pools.insert(tag.clone(), pool);
        rig.use_of(more, 5);
        rig.use_of(service(PGW), 5);
        rig.run(7 * MINUTE);
        let reported = |rig: &Rig| {
            let reports = rig.authority.the_instance().reports.values();
            let reports = reports.map(|stored| stored.report.entries.iter());
            let of_tag = reports.map(|mut entries| entries.find(|entry| entry.tag == tag).cloned());
            let of_tag = of_tag.map(|entry| entry.map(|entry| entry.licenses.0));
            of_tag.collect::<Vec<_>>()
        };
        assert_eq!(reported(&rig).last(), Some(&Some(1)));
        give_good(&mut rig, 2, Vec::new());
        let ledger = |rig: &Rig| rig.disk.ledger.clone();
        let last = |rig: &Rig| ledger(rig).reports.keys().next_back().copied();
        let interval_of = |rig: &Rig| ledger(rig).interval.map(|open| open.after);
        if soon {
            let before = last(&rig);
            rig.use_of(service(PGW), 10_001);
            for _ in 0..600 {
                if last(&rig) == before {
                    rig.run(SECOND);
                }
            }
            assert!(last(&rig) != before && last(&rig) != interval_of(&rig));
        } else {
            rig.run(6 * MINUTE);
            assert_eq!(interval_of(&rig), last(&rig));
        }
        rig.uses.remove(&more);
        rig.kill();
        for sessions in [10_001, 5, 10_001, 5] {
            rig.use_of(service(PGW), sessions);
            rig.run(6 * MINUTE);
        }
        let all = reported(&rig);
        let told = all.iter().rposition(Option::is_some).unwrap();
        assert_eq!(all[told], Some(0), "until the node started again: {all:?}");
        assert!(all[..told].iter().flatten().all(|licenses| *licenses == 1));
        assert!(all.len() >= told + 3, "{all:?}");
        rig.command(LicenseCommand::Deregister).unwrap();
        assert_eq!(rig.authority.the_instance().license_ms(), rig.closed_ms);
    }
}

//= L2
#[test]
fn a_catalog_written_into_the_kept_text_is_not_in_force() {
    let mut rig = Rig::registered();
    give_catalog(&mut rig, 1, &small(), None);
    let state = rig.disk.state.as_mut().unwrap();
    let kept = state.registration.as_mut().unwrap().orders.as_mut();
    let text = &mut kept.unwrap().signed.text;
    *text = text.replace("sessions_per_license = 7", "sessions_per_license = 70000");
    rig.authority.orders = None;
    rig.kill();
    assert_eq!((standing(&rig), per_license(&rig)), (None, 10_000));
    let refusal = rig.agent.status(rig.now).orders.refusal;
    assert_eq!(refusal.as_deref(), Some("the signature is not good"));
}

//= L1
//= L2
#[test]
fn a_kept_catalog_that_no_longer_fits_leaves_the_old_one_and_the_other_orders() {
    let mut rig = Rig::registered();
    let given = Orders {
        orders: vec![rule(&rig, service(PGW))],
        ..with_catalog(&rig, 1, &small(), None)
    };
    let given = of_keys(&rig, &given);
    give(&mut rig, given);
    rig.config.fits = crate::config::Fits::new(|_| Err("no GGSN".into()));
    rig.kill();
    assert_eq!(per_license(&rig), 10_000);
    assert_eq!(standing(&rig), Some(CatalogStanding::SetAside));
    assert_eq!(rig.verdicts.orders.len(), 1);
}

//= L2
#[test]
fn an_order_about_a_tag_of_the_new_catalog_is_in_force_with_it() {
    let mut rig = Rig::registered();
    let old = rig.tag(service(PGW));
    let new = old
        .as_str()
        .replacen("regid.", "regid.2026-11.org.example.", 1);
    let text = Catalog::staros_text().replace(old.as_str(), &new);
    let new = Tag::new(new).unwrap();
    let mut about = shadow(&rig, service(PGW), Shadow::Warn, Wall(START.0 + DAY_MS));
    about.tag = new.clone();
    let given = Orders {
        orders: vec![about],
        ..with_catalog(&rig, 1, &text, None)
    };
    let given = of_keys(&rig, &given);
    give(&mut rig, given);
    assert!(rig.verdicts.orders.is_empty());
    let shown = |rig: &Rig| {
        let listed = rig.agent.status(rig.now).orders.orders[0].clone();
        (listed.in_force, listed.pending, listed.set_aside)
    };
    assert_eq!(shown(&rig), (false, true, false), "it waits for the start");
    assert_eq!((acknowledged(&rig), set_aside(&rig)), ((1, None), None));
    let told = |notice: &Notice| matches!(notice, Notice::OrdersSetAside(_));
    assert!(!rig.notices.iter().any(told));
    let root = rig.authority.keys.root.der().to_vec();
    let judge = (rig.own.as_ref(), &rig.config.fits);
    let found = AtStart::judge(&rig.disk, &[root], judge, false, rig.now);
    assert_eq!(found.in_force.len(), 1, "from the first call on");
    rig.kill();
    assert_eq!(rig.tag(service(PGW)), new);
    assert_eq!(rig.verdicts.orders.len(), 1);
    assert_eq!(shown(&rig), (true, false, false));
}

//= L2
#[test]
fn a_catalog_that_is_not_kept_is_not_in_force_and_one_that_is_ends_with_the_registration() {
    let mut rig = Rig::registered();
    rig.disk_full = true;
    let given = of_keys(&rig, &with_catalog(&rig, 1, &small(), None));
    rig.authority.orders = Some(given);
    rig.ask(LicenseCommand::RenewAuth);
    rig.run(MINUTE);
    assert_eq!(kept(&rig), None);
    rig.kill();
    assert_eq!((standing(&rig), per_license(&rig)), (None, 10_000));
    rig.disk_full = false;
    rig.command(LicenseCommand::RenewAuth).unwrap();
    rig.run(MINUTE);
    rig.kill();
    assert_eq!(per_license(&rig), 7);
    rig.command(LicenseCommand::Deregister).unwrap();
    rig.run(MINUTE);
    assert_eq!(standing(&rig), Some(CatalogStanding::Ending));
    rig.kill();
    assert_eq!((standing(&rig), per_license(&rig)), (None, 10_000));
}
