use licensing::snapshot::State;
use licensing::{OnOoc, OocRule, Policy, Shadow, TagOrder};

use super::*;
use crate::terms::{Block, Eased, Shares};

const NOT_APPLIED: AlarmKind = AlarmKind::BlockNotApplied {
    service: Some(GGSN),
    feature: None,
};

fn order(rig: &mut Rig, tag: TagRef, rule: Option<OocRule>, shadow: Shadow) {
    let order = TagOrder { rule, shadow };
    rig.tell(Input::Order { tag, order });
}

fn rule(on_ooc: OnOoc, grace_days: u16) -> Option<OocRule> {
    Some(OocRule { on_ooc, grace_days })
}

fn out_of_compliance(config: Config) -> Rig {
    let mut rig = Rig::registered(config);
    rig.sessions(GGSN, 5);
    rig.verdict(TAG, Answer::OutOfCompliance, None);
    assert_eq!(rig.service(GGSN).tag.state, State::Block);
    rig
}

fn let_through(service: u64, feature: u64) -> ClassCounters {
    ClassCounters {
        eased_service: service,
        eased_feature: feature,
        ..ClassCounters::default()
    }
}

//= L2
#[test]
fn an_ordered_rule_holds_in_place_of_the_catalogs_until_it_is_withdrawn() {
    let mut rig = out_of_compliance(config());
    order(&mut rig, TAG, rule(OnOoc::Allow, 0), Shadow::Off);
    let row = rig.service(GGSN).tag;
    assert_eq!((row.policy, row.state), (Policy::Allow, State::Allow));
    assert_eq!(Some(row.rule), rule(OnOoc::Allow, 0));
    assert_eq!(rig.terms(GGSN).block, None);
    assert!(rig.has(OOC), "it stays out of compliance");
    order(&mut rig, TAG, None, Shadow::Off);
    assert_eq!(rig.service(GGSN).tag.rule.on_ooc, OnOoc::Block);
    assert_eq!(rig.terms(GGSN).block, Some(Block::Service));
}

//= L2
#[test]
fn an_ordered_grace_is_used_and_what_was_used_is_not_forgotten() {
    let mut rig = out_of_compliance(config());
    order(&mut rig, TAG, rule(OnOoc::Block, 30), Shadow::Off);
    assert_eq!(rig.service(GGSN).tag.grace_left_s, Some(30 * 86_400));
    for _ in 0..29 {
        rig.pass(DAY);
    }
    assert_eq!(rig.service(GGSN).tag.state, State::Allow);
    order(&mut rig, TAG, rule(OnOoc::Block, 10), Shadow::Off);
    assert_eq!(rig.service(GGSN).tag.state, State::Block, "29 of 10 days");
    rig.disk.orders = vec![(
        TAG,
        TagOrder {
            rule: rule(OnOoc::Block, 30),
            shadow: Shadow::Off,
        },
    )];
    let mut rig = rig.restart();
    rig.sessions(GGSN, 5);
    let left = rig.service(GGSN).tag.grace_left_s.unwrap();
    assert!((86_000..=86_400).contains(&left), "{left}");
    rig.pass(DAY);
    assert_eq!(rig.service(GGSN).tag.state, State::Block);
}

//= L2
#[test]
fn an_order_of_the_last_start_holds_from_the_first_terms_on() {
    let mut rig = out_of_compliance(config());
    let observed = TagOrder {
        rule: None,
        shadow: Shadow::Observe,
    };
    rig.disk.orders = vec![(TAG, observed)];
    let mut rig = rig.restart();
    let first = rig.said().into_iter().find_map(|output| match output {
        Output::Terms { service, terms } if service == GGSN => Some(terms),
        Output::Terms { .. } | Output::Persist(_) | Output::Event(_) => None,
    });
    let (by, percent) = (Block::Service, 0);
    assert_eq!(first, Some(rig.terms(GGSN)), "nobody is refused in between");
    assert_eq!(rig.terms(GGSN).block, None);
    assert_eq!(rig.terms(GGSN).eased, Some(Eased { by, percent }));
}

//= L2
#[test]
fn a_block_that_is_observed_refuses_nobody_and_has_no_ceiling_of_its_own() {
    let mut rig = out_of_compliance(config());
    rig.verdict(TAG, Answer::OutOfCompliance, Some(1));
    order(&mut rig, TAG, None, Shadow::Observe);
    let row = rig.service(GGSN);
    assert_eq!(
        (row.tag.policy, row.tag.state),
        (Policy::Allow, State::Allow)
    );
    assert_eq!((row.tag.shadow, row.tag.eased), (Shadow::Observe, true));
    assert_eq!(row.ceiling, None);
    let terms = rig.terms(GGSN);
    assert_eq!((terms.block, terms.ceiling), (None, None));
    assert_eq!(
        terms.eased,
        Some(Eased {
            by: Block::Service,
            percent: 0
        })
    );
    assert!(!rig.has(NOT_APPLIED));
    order(&mut rig, TAG, None, Shadow::Warn);
    assert!(rig.has(NOT_APPLIED));
    order(&mut rig, TAG, None, Shadow::Block);
    assert!(!rig.has(NOT_APPLIED));
    assert_eq!(rig.terms(GGSN).block, Some(Block::Service));
    assert_eq!(rig.terms(GGSN).eased, None);
    order(&mut rig, TAG, None, Shadow::Warn);
    rig.verdict(TAG, Answer::Authorized, None);
    assert!(!rig.has(NOT_APPLIED), "nothing is there to apply");
    assert_eq!(rig.terms(GGSN).eased, None);
}

//= L2
#[test]
fn a_ramp_is_a_block_of_some() {
    let mut rig = out_of_compliance(config());
    order(&mut rig, TAG, None, Shadow::Ramp { percent: 25 });
    let row = rig.service(GGSN);
    assert_eq!(
        (row.tag.policy, row.tag.state),
        (Policy::Block, State::Block)
    );
    assert_eq!(row.ceiling, None);
    let terms = rig.terms(GGSN);
    assert_eq!((terms.block, terms.ceiling), (None, None));
    assert_eq!(
        terms.eased,
        Some(Eased {
            by: Block::Service,
            percent: 25
        })
    );
    order(&mut rig, TAG, None, Shadow::Ramp { percent: 100 });
    assert_eq!(rig.terms(GGSN).block, Some(Block::Service));
}

//= L2
#[test]
fn what_is_let_through_is_laid_to_the_tag_that_would_have_refused_it() {
    let mut rig = out_of_compliance(config());
    order(&mut rig, TAG, None, Shadow::Observe);
    let plain = class(GGSN, &[], CallKind::Ordinary);
    let with_gre = class(GGSN, &[GRE], CallKind::Ordinary);
    rig.class(plain, let_through(3, 0));
    rig.class(with_gre, let_through(2, 0));
    rig.class(plain, let_through(4, 0));
    assert_eq!(rig.service(GGSN).tag.let_through, 6);
    assert_eq!(rig.feature(GRE).tag.let_through, 0);
}

//= L2
#[test]
fn a_feature_that_is_tried_out_is_told_by_how_it_is_tied() {
    let zero = rule(OnOoc::Block, 0);
    for tie in ["service", "call"] {
        let mut rig = Rig::registered(small("", &format!("tie = \"{tie}\"")));
        rig.sessions(S, 5);
        rig.tell(Input::Feature {
            feature: F,
            enabled: true,
        });
        let feature = TagRef::Feature(F);
        rig.verdict(feature, Answer::OutOfCompliance, None);
        order(&mut rig, feature, zero, Shadow::Ramp { percent: 10 });
        let (by, percent) = (Block::Feature(F), 10);
        let terms = rig.terms(S);
        assert_eq!(
            (terms.block, terms.blocked_features),
            (None, FeatureSet::EMPTY)
        );
        let brought = FeatureSet::EMPTY.with(F);
        if tie == "service" {
            assert_eq!(terms.eased, Some(Eased { by, percent }));
            assert_eq!(terms.eased_features, Shares::EMPTY);
        } else {
            let share = Shares::EMPTY.with(F, percent);
            assert_eq!(terms.eased_features, share);
            assert_eq!(terms.eased, None);
        }
        rig.class(class(S, &[F], CallKind::Ordinary), let_through(0, 7));
        assert_eq!(rig.feature(F).tag.let_through, 7, "{tie}");
        assert_eq!(rig.service(S).tag.let_through, 0);
        order(&mut rig, feature, zero, Shadow::Off);
        let terms = rig.terms(S);
        if tie == "service" {
            assert_eq!(terms.block, Some(by));
        } else {
            assert_eq!(terms.blocked_features, brought);
        }
        assert_eq!((terms.eased, terms.eased_features), (None, Shares::EMPTY));
        rig.class(class(S, &[F], CallKind::Ordinary), let_through(0, 9));
        assert_eq!(rig.feature(F).tag.let_through, 9, "{tie}, counted late");
    }
}

//= L2
#[test]
fn a_ramp_of_the_service_leaves_the_block_of_a_feature_whole() {
    let mut rig = Rig::registered(small("", "tie = \"service\""));
    rig.sessions(S, 5);
    rig.tell(Input::Feature {
        feature: F,
        enabled: true,
    });
    let (service, feature) = (TagRef::Service(S), TagRef::Feature(F));
    let zero = rule(OnOoc::Block, 0);
    for tag in [service, feature] {
        rig.verdict(tag, Answer::OutOfCompliance, None);
    }
    order(&mut rig, feature, zero, Shadow::Off);
    for shadow in [Shadow::Observe, Shadow::Ramp { percent: 1 }] {
        order(&mut rig, service, zero, shadow);
        assert_eq!(rig.terms(S).block, Some(Block::Feature(F)), "{shadow}");
    }
    order(&mut rig, service, zero, Shadow::Off);
    assert_eq!(rig.terms(S).block, Some(Block::Service));
}
