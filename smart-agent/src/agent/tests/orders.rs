use api::smart::{
    CatalogOrder, InstanceId, Octets, Order, OrderKind, Orders, ReplyEnvelope, Signature,
    SignedOrders, Version,
};
use licensing::{OnOoc, OocRule, Shadow};
use rcgen::SigningKey;

use super::authority::{DAY_MS, Keys};
use super::*;

const LENIENT: OocRule = OocRule {
    on_ooc: OnOoc::Allow,
    grace_days: 30,
};

pub(super) fn rule(rig: &Rig, of: TagKey) -> Order {
    Order {
        tag: rig.tag(of),
        not_after: None,
        what: OrderKind::Rule(LENIENT),
    }
}

pub(super) fn shadow(rig: &Rig, of: TagKey, shadow: Shadow, until: Wall) -> Order {
    Order {
        tag: rig.tag(of),
        not_after: Some(until),
        what: OrderKind::Shadow(shadow),
    }
}

/// Orders of this serial number for the instance that is registered.
pub(super) fn orders(rig: &Rig, serial: u64, orders: Vec<Order>) -> Orders {
    let state = rig.disk.state.as_ref().unwrap();
    let instance = state.registration.as_ref().unwrap().instance.clone();
    Orders {
        version: Version,
        serial,
        product_instance_identifier: instance,
        issued: START,
        lab: false,
        orders,
        catalog: None,
    }
}

fn signed(keys: &Keys, orders: &Orders) -> SignedOrders {
    SignedOrders::seal(orders, keys.chain(), |octets| {
        keys.signer.sign(octets).unwrap()
    })
}

/// Gives these orders with the next answers.
pub(super) fn give(rig: &mut Rig, signed: SignedOrders) {
    rig.authority.orders = Some(signed);
    rig.command(LicenseCommand::RenewAuth).unwrap();
    rig.run(2 * SECOND);
}

pub(super) fn give_good(rig: &mut Rig, serial: u64, list: Vec<Order>) {
    let signed = signed(&rig.authority.keys, &orders(rig, serial, list));
    give(rig, signed);
}

fn in_force(rule: Option<OocRule>, shadow: Shadow) -> TagOrder {
    TagOrder { rule, shadow }
}

pub(super) fn kept(rig: &Rig) -> Option<&SignedOrders> {
    let registration = rig.disk.state.as_ref()?.registration.as_ref()?;
    registration.orders.as_ref().map(|kept| &kept.signed)
}

/// What the authority was last told.
pub(super) fn acknowledged(rig: &Rig) -> (u64, Option<String>) {
    let held = rig.authority.held.clone().unwrap();
    (held.serial, held.refused)
}

/// What the authority was last told to be set aside.
pub(super) fn set_aside(rig: &Rig) -> Option<String> {
    rig.authority.held.clone().unwrap().set_aside
}

//= L2
#[test]
fn orders_are_kept_told_and_acknowledged_and_the_next_text_takes_their_place() {
    let mut rig = Rig::registered();
    let list = vec![rule(&rig, service(PGW))];
    give_good(&mut rig, 1, list);
    assert_eq!(
        rig.verdicts.orders,
        [(service(PGW), in_force(Some(LENIENT), Shadow::Off))].into()
    );
    assert_eq!(acknowledged(&rig), (1, None));
    assert!(rig.notices.contains(&Notice::OrdersTaken(1)));
    let until = Wall(START.0 + DAY_MS);
    let list = vec![shadow(&rig, feature(GRE), Shadow::Warn, until)];
    give_good(&mut rig, 2, list);
    assert_eq!(
        rig.verdicts.orders,
        [(feature(GRE), in_force(None, Shadow::Warn))].into(),
        "the rule is withdrawn"
    );
    let status = rig.agent.status(rig.now).orders;
    assert_eq!((status.serial, status.refused), (2, 0));
    assert!(status.orders[0].in_force);
    assert_eq!(kept(&rig), rig.authority.orders.as_ref());
    rig.told.clear();
    rig.command(LicenseCommand::RenewAuth).unwrap();
    let again = rig.told.iter();
    let again = again.filter(|told| matches!(told, Told::Order { .. }));
    assert_eq!(again.count(), 0, "the same text once more is nothing new");
}

//= L2
#[test]
fn what_is_not_the_authoritys_word_for_this_node_changes_nothing_and_is_shown() {
    let mut rig = Rig::registered();
    let list = vec![rule(&rig, service(PGW))];
    give_good(&mut rig, 5, list.clone());
    let before = (rig.verdicts.orders.clone(), kept(&rig).cloned());
    let good = orders(&rig, 6, list);
    let keys = &rig.authority.keys;
    let of = |changed: Orders| signed(keys, &changed);
    let strangers = Keys::new(START);
    let other = InstanceId::new("00000000-0000-4000-8000-000000000000").unwrap();
    let late = Some(Wall(START.0 + 367 * DAY_MS));
    let long = "#".repeat(api::smart::CATALOG_BYTES_MAX + 1);
    let catalog = |text: &str, not_after| Orders {
        catalog: Some(CatalogOrder {
            text: text.into(),
            not_after,
        }),
        ..good.clone()
    };
    let unknown_kind = SignedOrders::of_text(
        serde_json::to_string(&good)
            .unwrap()
            .replace("\"RULE\"", "\"PRICE\""),
        keys.chain(),
        |octets| keys.signer.sign(octets).unwrap(),
    );
    let ramp = |percent| OrderKind::Shadow(Shadow::Ramp { percent });
    let order = good.orders[0].clone();
    let altered = |order: Order| Orders {
        orders: vec![order],
        ..good.clone()
    };
    let mut tampered = of(good.clone());
    tampered.text = tampered.text.replace("\"serial\":6", "\"serial\":7");
    let mut answer = of(good.clone());
    // Signed as an answer is: without what stands before orders.
    answer.signature = Signature {
        value: Octets(keys.signer.sign(answer.text.as_bytes()).unwrap()),
        ..answer.signature
    };
    let form = SignedOrders::of_text("{}".into(), keys.chain(), |octets| {
        keys.signer.sign(octets).unwrap()
    });
    let cases = [
        (
            of(Orders {
                serial: 4,
                ..good.clone()
            }),
            "their serial number is 4, and 5 is in force",
        ),
        (
            of(Orders {
                serial: 5,
                orders: Vec::new(),
                ..good.clone()
            }),
            "other orders of the serial number 5 are in force",
        ),
        (
            of(Orders {
                product_instance_identifier: other,
                ..good.clone()
            }),
            "they are for another product instance",
        ),
        (
            of(Orders {
                lab: true,
                ..good.clone()
            }),
            "are for lab nodes",
        ),
        (
            of(altered(Order {
                what: OrderKind::Shadow(Shadow::Observe),
                ..order.clone()
            })),
            "what loosens a block has an end",
        ),
        (
            of(altered(Order {
                what: ramp(101),
                not_after: Some(START),
                ..order.clone()
            })),
            "a ramp has 1 to 100 percent",
        ),
        (
            of(altered(Order {
                not_after: late,
                ..order.clone()
            })),
            "it ends too late",
        ),
        (
            of(Orders {
                orders: vec![order.clone(), order],
                ..good.clone()
            }),
            "there are two of a kind for a tag",
        ),
        (
            signed(&strangers, &good),
            "leads to no root of the trust pool",
        ),
        (tampered, "the signature is not good"),
        (answer, "the signature is not good"),
        (form, "not of the form"),
        (unknown_kind, "not of the form"),
        (
            of(catalog(&long, None)),
            "the catalog has 65537, at most 65536 are taken",
        ),
        (
            of(catalog(Catalog::staros_text(), late)),
            "it ends too late",
        ),
    ];
    for (place, (given, said)) in (1..).zip(cases) {
        give(&mut rig, given);
        // It says so with the next message.
        rig.command(LicenseCommand::RenewAuth).unwrap();
        let why = acknowledged(&rig).1.unwrap();
        assert!(why.contains(said), "{said}: {why}");
        let status = rig.agent.status(rig.now).orders;
        assert_eq!((status.serial, status.refusal), (5, Some(why)));
        assert!(status.refused >= place, "{place}: {}", status.refused);
        let now = (rig.verdicts.orders.clone(), kept(&rig).cloned());
        assert_eq!(now, before, "{said}");
    }
    let good = of_keys(&rig, &good);
    give(&mut rig, good);
    assert_eq!(
        acknowledged(&rig),
        (6, None),
        "a good one is taken all the same"
    );
}

pub(super) fn of_keys(rig: &Rig, orders: &Orders) -> SignedOrders {
    signed(&rig.authority.keys, orders)
}

//= L2
#[test]
fn an_order_ends_on_its_day_and_all_end_with_the_registration() {
    let mut rig = Rig::registered();
    let until = Wall(START.0 + DAY_MS);
    let list = vec![
        shadow(&rig, service(PGW), Shadow::Observe, until),
        rule(&rig, service(SAEGW)),
    ];
    give_good(&mut rig, 1, list);
    assert_eq!(rig.verdicts.orders.len(), 2);
    rig.run_by(DAY, HOUR);
    assert_eq!(
        rig.verdicts.orders,
        [(service(SAEGW), in_force(Some(LENIENT), Shadow::Off))].into()
    );
    rig.command(LicenseCommand::Deregister).unwrap();
    assert_eq!(rig.verdicts.orders, BTreeMap::new());
    assert_eq!(kept(&rig), None);
}

//= L2
#[test]
fn a_start_judges_the_kept_text_anew() {
    let mut rig = Rig::registered();
    let list = vec![rule(&rig, service(PGW))];
    give_good(&mut rig, 3, list);
    let told = rig.verdicts.orders.clone();
    rig.kill();
    assert_eq!(rig.verdicts.orders, told, "in force from the first moment");
    assert_eq!(rig.agent.status(rig.now).orders.serial, 3);
    // Somebody writes another rule into the file.
    let state = rig.disk.state.as_mut().unwrap();
    let kept = state.registration.as_mut().unwrap().orders.as_mut();
    let text = &mut kept.unwrap().signed.text;
    *text = text.replace("\"grace_days\":30", "\"grace_days\":31");
    rig.authority.orders = None;
    rig.kill();
    assert_eq!(rig.verdicts.orders, BTreeMap::new());
    let status = rig.agent.status(rig.now).orders;
    assert_eq!((status.serial, status.refused), (0, 1));
    assert_eq!(status.refusal.as_deref(), Some("the signature is not good"));
}

//= L2
#[test]
fn nothing_is_told_before_it_is_kept() {
    let mut rig = Rig::registered();
    rig.disk_full = true;
    let signed = of_keys(&rig, &orders(&rig, 1, vec![rule(&rig, service(PGW))]));
    rig.authority.orders = Some(signed);
    rig.ask(LicenseCommand::RenewAuth);
    rig.run(5 * SECOND);
    assert_eq!(rig.verdicts.orders, BTreeMap::new());
    rig.disk_full = false;
    rig.run(2 * HOUR);
    assert_eq!(rig.verdicts.orders.len(), 1);
    assert!(kept(&rig).is_some());
}

//= L2
#[test]
fn an_order_ends_on_its_day_though_the_disk_fails() {
    let mut rig = Rig::registered();
    let until = Wall(START.0 + DAY_MS);
    let observed = |rig: &Rig| vec![shadow(rig, service(PGW), Shadow::Observe, until)];
    let list = observed(&rig);
    give_good(&mut rig, 1, list);
    let told = rig.verdicts.orders.clone();
    rig.disk_full = true;
    let later = shadow(&rig, service(PGW), Shadow::Observe, Wall(until.0 + DAY_MS));
    let signed = of_keys(&rig, &orders(&rig, 2, vec![later]));
    rig.authority.orders = Some(signed);
    rig.ask(LicenseCommand::RenewAuth);
    rig.run(MINUTE);
    assert_eq!(rig.verdicts.orders, told, "until its end it holds");
    rig.run_by(DAY, HOUR);
    assert_eq!(rig.verdicts.orders, BTreeMap::new());
}

//= L2
#[test]
fn a_clock_that_is_set_back_prolongs_no_order() {
    for restart in [false, true] {
        let mut rig = Rig::registered();
        let until = Wall(START.0 + DAY_MS);
        let list = vec![shadow(&rig, service(PGW), Shadow::Observe, until)];
        give_good(&mut rig, 1, list);
        rig.wrong_ms = -100 * DAY_MS;
        rig.now.wall.0 += rig.wrong_ms;
        if restart {
            rig.kill();
        }
        rig.run_by(DAY / 2, HOUR);
        assert_eq!(rig.verdicts.orders.len(), 1);
        rig.run_by(DAY, HOUR);
        assert_eq!(rig.verdicts.orders, BTreeMap::new(), "{restart}");
    }
}

//= L2
#[test]
fn a_clock_that_was_ahead_ends_no_order_for_good() {
    let mut rig = Rig::registered();
    let until = Wall(START.0 + DAY_MS);
    let list = vec![shadow(&rig, service(PGW), Shadow::Observe, until)];
    give_good(&mut rig, 1, list);
    rig.wrong_ms = 100 * DAY_MS;
    rig.now.wall.0 += rig.wrong_ms;
    rig.run(MINUTE);
    assert_eq!(rig.verdicts.orders, BTreeMap::new());
    rig.now.wall.0 -= rig.wrong_ms;
    rig.wrong_ms = 0;
    rig.run(MINUTE);
    assert_eq!(rig.verdicts.orders.len(), 1);
}

//= L2
#[test]
fn killed_after_any_output_what_is_told_is_what_is_kept() {
    for lives in 0..40 {
        let mut rig = Rig::registered();
        let signed = of_keys(&rig, &orders(&rig, 1, vec![rule(&rig, service(PGW))]));
        rig.authority.orders = Some(signed);
        rig.lives = Some(lives);
        rig.ask(LicenseCommand::RenewAuth);
        for _ in 0..30 {
            rig.step(SECOND);
            let (told, kept) = (!rig.verdicts.orders.is_empty(), kept(&rig).is_some());
            assert!(kept || !told, "{lives}: told and not kept");
        }
        rig.lives = None;
        rig.run(MINUTE);
        assert_eq!(rig.verdicts.orders.len(), 1, "{lives}");
        assert_eq!(acknowledged(&rig), (1, None), "{lives}");
    }
}

#[test]
fn orders_are_no_answer() {
    let rig = Rig::registered();
    let good = of_keys(&rig, &orders(&rig, 1, Vec::new()));
    let envelope = ReplyEnvelope {
        response: good.text.clone(),
        chain: good.chain.clone(),
        calendar: START,
        signature: good.signature.clone(),
    };
    let key = rig.authority.keys.signer.public_key_raw();
    let opened = envelope
        .open(|text, envelope| crate::identity::verify(key, text, &envelope.signature.value.0));
    assert_eq!(opened.unwrap_err().to_string(), "the signature is not good");
}

//= L2
#[test]
fn an_order_about_a_tag_that_is_not_in_the_catalog_is_set_aside_and_the_rest_is_in_force() {
    let mut rig = Rig::registered();
    let list = vec![rule(&rig, service(PGW))];
    give_good(&mut rig, 1, list);
    let name = "regid.2026-11.org.example.X,1.0_85a577a1-017d-4dc6-8bf7-4fac7c4d465a";
    let unknown = Order {
        tag: Tag::new(name).unwrap(),
        ..rule(&rig, service(PGW))
    };
    let until = Wall(START.0 + DAY_MS);
    let list = vec![unknown, shadow(&rig, feature(GRE), Shadow::Warn, until)];
    give_good(&mut rig, 2, list);
    let said = format!("1 set aside: the tag {name} is not in the catalog in force");
    for restart in [false, true] {
        assert_eq!(
            rig.verdicts.orders,
            [(feature(GRE), in_force(None, Shadow::Warn))].into(),
            "what the next text does not have is withdrawn: {restart}"
        );
        let status = rig.agent.status(rig.now).orders;
        let listed = status.orders.iter();
        let listed: Vec<_> = listed.map(|o| (o.in_force, o.set_aside)).collect();
        assert_eq!(listed, [(false, true), (true, false)]);
        assert_eq!(
            (status.serial, status.refused, status.refusal),
            (2, 0, None)
        );
        rig.command(LicenseCommand::RenewAuth).unwrap();
        assert_eq!(acknowledged(&rig), (2, None), "nothing is refused");
        assert_eq!(set_aside(&rig).as_ref(), Some(&said));
        rig.kill();
    }
    // What is refused and what is set aside are told side by side.
    let other = orders(&rig, 1, Vec::new());
    let older = of_keys(&rig, &other);
    give(&mut rig, older);
    rig.command(LicenseCommand::RenewAuth).unwrap();
    let refused = "their serial number is 1, and 2 is in force";
    assert_eq!(acknowledged(&rig), (2, Some(refused.into())));
    assert_eq!(set_aside(&rig).as_ref(), Some(&said));
    assert!(rig.notices.contains(&Notice::OrdersSetAside(said)));
    give_good(&mut rig, 3, Vec::new());
    rig.command(LicenseCommand::RenewAuth).unwrap();
    assert_eq!((acknowledged(&rig), set_aside(&rig)), ((3, None), None));
}

//= L2
#[test]
fn of_much_that_is_set_aside_it_is_told_how_much() {
    let mut rig = Rig::registered();
    let name = |number: u32| {
        format!("regid.2026-11.org.example.{number},1.0_85a577a1-017d-4dc6-8bf7-4fac7c4d465a")
    };
    let unknown = |number: u32| Order {
        tag: Tag::new(name(number)).unwrap(),
        ..rule(&rig, service(PGW))
    };
    let list: Vec<_> = (10..30).map(unknown).collect();
    give_good(&mut rig, 1, list);
    let reason = |number| format!("the tag {} is not in the catalog in force", name(number));
    let said = set_aside(&rig).unwrap();
    let expected = format!("20 set aside: {}; {}; and 18 more", reason(10), reason(11));
    assert_eq!(said, expected);
    assert!(said.len() <= api::smart::TEXT_BYTES_MAX);
    let logged = format!(
        "20 set aside: {}",
        (10..30).map(reason).collect::<Vec<_>>().join("; ")
    );
    assert!(rig.notices.contains(&Notice::OrdersSetAside(logged)));

    // A reason that is longer than all that may be told.
    let why = "é".repeat(200);
    let unfit = why.clone();
    rig.config.fits = crate::config::Fits::new(move |_| Err(unfit.clone()));
    rig.kill();
    let catalog = CatalogOrder {
        text: Catalog::staros_text().into(),
        not_after: None,
    };
    let given = Orders {
        catalog: Some(catalog),
        ..orders(&rig, 2, Vec::new())
    };
    let given = of_keys(&rig, &given);
    give(&mut rig, given);
    let said = set_aside(&rig).unwrap();
    let head = "1 set aside: the catalog does not go with the configuration: éé";
    assert!(said.starts_with(head) && said.ends_with("é..."), "{said}");
    assert!((250..=255).contains(&said.len()), "{}", said.len());
}
