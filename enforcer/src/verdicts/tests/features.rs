use licensing::Policy;
use licensing::snapshot::State;

use super::*;
use crate::terms::Block;

/// `F` out of compliance with its grace used up.
fn blocked(tie: &str) -> Rig {
    let mut rig = Rig::registered(small("", &format!("grace_days = 1\ntie = \"{tie}\"")));
    rig.sessions(S, 1);
    rig.sessions(T, 1);
    rig.tell(Input::Feature {
        feature: F,
        enabled: true,
    });
    let (s, t) = (TagRef::Service(S), TagRef::Service(T));
    rig.verdict(s, Answer::Authorized, None);
    rig.verdict(t, Answer::Authorized, None);
    rig.verdict(TagRef::Feature(F), Answer::OutOfCompliance, None);
    assert_eq!(rig.terms(S).block, None, "in grace");
    rig.pass(DAY);
    assert_eq!(rig.feature(F).tag.state, State::Block);
    rig
}

//= L12
#[test]
fn a_feature_is_in_use_while_enabled_or_while_a_call_brings_it() {
    let mut rig = Rig::enabled(config());
    let row = rig.feature(GRE);
    assert_eq!((row.tag.in_use, row.tag.licenses.0), (false, 0));
    rig.tell(Input::Feature {
        feature: GRE,
        enabled: true,
    });
    let row = rig.feature(GRE);
    assert_eq!(
        (row.enabled, row.tag.in_use, row.tag.licenses.0),
        (true, true, 1)
    );
    assert_eq!(row.sessions.0, 0, "no call uses it");
    rig.tell(Input::Feature {
        feature: GRE,
        enabled: false,
    });
    assert_eq!(rig.feature(GRE).tag.licenses.0, 0);
    let brings = class(GGSN, &[GRE, VOLTE], CallKind::Ordinary);
    rig.class(brings, admitted(9, 4));
    let also = class(PGW, &[GRE], CallKind::Priority);
    rig.class(also, admitted(3, 1));
    rig.class(class(PGW, &[], CallKind::Ordinary), admitted(50, 0));
    let row = rig.feature(GRE);
    assert_eq!((row.enabled, row.tag.in_use), (false, true));
    assert_eq!((row.sessions.0, row.tag.licenses.0), (7, 1));
    assert_eq!(rig.feature(VOLTE).sessions.0, 5);
    rig.class(brings, admitted(9, 9));
    rig.class(also, admitted(3, 3));
    let row = rig.feature(GRE);
    assert_eq!((row.tag.in_use, row.tag.licenses.0), (false, 0));
}

//= L12
#[test]
fn what_the_configuration_enables_an_operator_may_disable() {
    let mut rig = Rig::enabled(Config {
        enabled_features: FeatureSet::EMPTY.with(VOLTE),
        ..config()
    });
    assert!(rig.feature(VOLTE).enabled && !rig.feature(GRE).enabled);
    rig.said();
    let feature = VOLTE;
    let enabled = false;
    rig.tell(Input::Feature { feature, enabled });
    rig.tell(Input::Feature { feature, enabled });
    assert!(!rig.feature(VOLTE).enabled);
    let events = rig.events();
    let disabled = events
        .iter()
        .filter(|event| **event == Event::FeatureDisabled { feature });
    assert_eq!(disabled.count(), 1);
}

//= L12
#[test]
fn a_blocked_feature_tied_to_the_service_refuses_every_new_call_of_it() {
    let rig = blocked("service");
    assert_eq!(rig.terms(S).block, Some(Block::Feature(F)));
    assert_eq!(rig.terms(S).blocked_features, FeatureSet::EMPTY);
    assert_eq!(rig.terms(T).block, None, "not tied to it");
    let row = rig.service(S);
    assert_eq!(
        (row.tag.policy, row.tag.state),
        (Policy::Allow, State::Block)
    );
    assert_eq!(row.blocked_by, Some(F));
    assert_eq!(rig.service(T).tag.state, State::Allow);
}

//= L12
#[test]
fn a_blocked_feature_tied_to_the_call_refuses_only_calls_that_bring_it() {
    let rig = blocked("call");
    assert_eq!(rig.terms(S).block, None);
    let f = FeatureSet::EMPTY.with(F);
    assert_eq!(rig.terms(S).blocked_features, f);
    let row = rig.service(S);
    assert_eq!((row.tag.state, row.blocked_by), (State::Allow, None));
}

//= L12
#[test]
fn disabling_the_feature_lets_the_calls_in_again() {
    let mut rig = blocked("service");
    rig.tell(Input::Feature {
        feature: F,
        enabled: false,
    });
    assert_eq!(rig.terms(S).block, None);
    assert_eq!(rig.service(S).blocked_by, None);
}

//= L12
#[test]
fn the_services_own_block_goes_before_a_features() {
    let mut rig = blocked("service");
    rig.verdict(TagRef::Service(S), Answer::OutOfCompliance, None);
    assert_eq!(rig.terms(S).block, Some(Block::Service));
    assert_eq!(rig.service(S).blocked_by, None);
}

//= L5
//= L12
#[test]
fn a_feature_that_the_configuration_enables_no_longer_is_settled_at_the_start() {
    let mut rig = blocked("service");
    rig.disk
        .operator
        .as_mut()
        .expect("it was switched")
        .features
        .clear();
    rig.config.enabled_features = FeatureSet::EMPTY.with(F);
    let mut rig = rig.restart();
    assert_eq!(rig.terms(S).block, Some(Block::Feature(F)), "still enabled");
    rig.disk
        .operator
        .as_mut()
        .expect("it was kept")
        .features
        .clear();
    rig.config.enabled_features = FeatureSet::EMPTY;
    let mut rig = rig.restart();
    assert_eq!(rig.terms(S).block, None);
    let feature = F;
    let ooc = AlarmKind::FeatureOutOfCompliance { feature };
    assert!(cleared(&rig.events()).contains(&ooc));
    rig.tell(Input::Feature {
        feature,
        enabled: true,
    });
    rig.verdict(TagRef::Feature(F), Answer::OutOfCompliance, None);
    assert_eq!(
        rig.terms(S).block,
        Some(Block::Feature(F)),
        "its grace is used up"
    );
}

//= L8
//= L12
#[test]
fn priority_calls_pass_a_features_block_by_their_share_also_without_a_ceiling() {
    let feature = "grace_days = 1\ntie = \"call\"";
    let mut rig = Rig::registered(small("", feature));
    let class = class(S, &[F], CallKind::Priority);
    rig.sessions(S, 3);
    rig.class(class, admitted(1, 0));
    rig.verdict(TagRef::Service(S), Answer::Authorized, Some(4));
    rig.verdict(TagRef::Service(S), Answer::Authorized, None);
    rig.verdict(TagRef::Feature(F), Answer::OutOfCompliance, None);
    rig.pass(DAY);
    let terms = rig.terms(S);
    let f = FeatureSet::EMPTY.with(F);
    assert_eq!((terms.ceiling, terms.priority_share), (None, 2));
    assert_eq!(
        (terms.blocked_features, terms.barred_features),
        (f, FeatureSet::EMPTY)
    );
    rig.class(class, admitted(2, 0));
    assert_eq!(rig.terms(S).barred_features, f, "the share is used up");
    rig.class(class, admitted(3, 2));
    assert_eq!(rig.terms(S).barred_features, FeatureSet::EMPTY);
}
