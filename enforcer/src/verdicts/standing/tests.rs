use super::*;

const SINCE: Wall = Wall(77);
const ANSWERS: [Option<Answer>; 4] = [
    None,
    Some(Answer::Authorized),
    Some(Answer::OutOfCompliance),
    Some(Answer::InvalidTag),
];

fn nodes() -> impl Iterator<Item = NodeFacts> {
    (0..16u8).map(|bits| NodeFacts {
        enforced: bits & 1 != 0,
        registered: bits & 2 != 0,
        silent: bits & 4 != 0,
        evaluation_left: bits & 8 != 0,
    })
}

fn tags() -> impl Iterator<Item = TagFacts> {
    ANSWERS.into_iter().flat_map(|answer| {
        (0..8u8).map(move |bits| TagFacts {
            answer,
            ended: bits & 1 != 0,
            since: SINCE,
            grace_left: bits & 2 != 0,
            on_ooc: if bits & 4 != 0 {
                OnOoc::Block
            } else {
                OnOoc::Allow
            },
        })
    })
}

fn verdict(node: NodeFacts, tag: TagFacts) -> (Option<Compliance>, Policy) {
    let compliance = compliance(node, tag);
    (compliance, policy(compliance, node, tag))
}

const ENFORCED: NodeFacts = NodeFacts {
    enforced: true,
    registered: true,
    silent: false,
    evaluation_left: true,
};
const TAG: TagFacts = TagFacts {
    answer: None,
    ended: false,
    since: SINCE,
    grace_left: false,
    on_ooc: OnOoc::Block,
};

/// Every case of the whole product, 16 nodes by 32 tags, by one table of expectations.
///
//= L2
//= L3
//= L4
//= L5
//= L10
//= L11
#[test]
fn every_case_has_its_verdict() {
    use Compliance as C;
    use Policy::{Allow, Block};
    let mut cases = 0;
    for node in nodes() {
        for tag in tags() {
            let over = !tag.grace_left && tag.on_ooc == OnOoc::Block;
            let objected = if over { Block } else { Allow };
            let left = if node.evaluation_left { Allow } else { Block };
            let objection = match tag.answer {
                Some(Answer::OutOfCompliance) => Some(C::OutOfCompliance { since: SINCE }),
                Some(Answer::InvalidTag) => Some(C::InvalidTag),
                None | Some(Answer::Authorized) => None,
            };
            let unheard = !node.registered || node.silent;
            let blocked = objection.filter(|_| over && unheard && node.evaluation_left);
            let expected = if !node.enforced {
                (None, Allow)
            } else if blocked.is_some() {
                (blocked, Block)
            } else if !node.registered && node.evaluation_left {
                (Some(C::Evaluation), Allow)
            } else if !node.registered {
                (Some(C::EvaluationExpired), Block)
            } else if node.silent {
                (Some(C::AuthorizationExpired), left)
            } else {
                match tag.answer {
                    None => (Some(C::Waiting), Allow),
                    Some(Answer::Authorized) if tag.ended => (Some(C::AuthorizationExpired), left),
                    Some(Answer::Authorized) => (Some(C::Authorized), Allow),
                    Some(Answer::OutOfCompliance | Answer::InvalidTag) => (objection, objected),
                }
            };
            assert_eq!(verdict(node, tag), expected, "{node:?} {tag:?}");
            cases += 1;
        }
    }
    assert_eq!(cases, 512);
}

//= L5
#[test]
fn the_rule_after_the_grace_may_be_allow() {
    let objected = |grace_left, on_ooc| TagFacts {
        answer: Some(Answer::OutOfCompliance),
        grace_left,
        on_ooc,
        ..TAG
    };
    let policies = [
        (true, OnOoc::Block),
        (true, OnOoc::Allow),
        (false, OnOoc::Block),
        (false, OnOoc::Allow),
    ]
    .map(|(left, rule)| verdict(ENFORCED, objected(left, rule)).1);
    let (allow, block) = (Policy::Allow, Policy::Block);
    assert_eq!(policies, [allow, allow, block, allow]);
}

/// Waiting: last authorized plus one; a grant is exact; no grant, no ceiling; evaluation: one license.
///
//= L3
//= L4
//= L6
//= L10
#[test]
fn every_standing_has_its_ceiling() {
    use Policy::{Allow, Block};
    let of = |compliance, policy, granted: Option<u32>| {
        let granted = granted.map(LicenseCount);
        ceiling(Some(compliance), policy, granted, LicenseCount(4)).map(|licenses| licenses.0)
    };
    let ooc = Compliance::OutOfCompliance { since: SINCE };
    for granted in [None, Some(7)] {
        for policy in [Allow, Block] {
            assert_eq!(of(Compliance::Evaluation, policy, granted), Some(1));
            assert_eq!(of(Compliance::EvaluationExpired, policy, granted), Some(1));
            let silent = of(Compliance::AuthorizationExpired, policy, granted);
            assert_eq!(silent, Some(1));
            assert_eq!(of(Compliance::Waiting, policy, granted), Some(5));
            assert_eq!(of(Compliance::Authorized, policy, granted), granted);
        }
        for objected in [ooc, Compliance::InvalidTag] {
            assert_eq!(of(objected, Allow, granted), None);
            assert_eq!(of(objected, Block, granted), granted);
        }
    }
    let none = ceiling(None, Allow, Some(LicenseCount(7)), LicenseCount(4));
    assert_eq!(none, None, "never enabled");
    let most = ceiling(
        Some(Compliance::Waiting),
        Allow,
        None,
        LicenseCount(u32::MAX),
    );
    assert_eq!(most, Some(LicenseCount(u32::MAX)));
}

const ORDER: Order = Order {
    enforced: true,
    policy: Policy::Allow,
    ceiling: None,
    last_ceiling: None,
    reported: None,
    sessions_per_license: NonZeroU32::new(10_000).expect("ten thousand is not zero"),
    priority_percent: 5,
    blocked_by: None,
    blocked_features: FeatureSet::EMPTY,
    shared_out: FeatureSet::EMPTY,
    eased: None,
    eased_features: Shares::EMPTY,
};

/// The base is the ceiling, else the last finite one, else what was last reported, at least one license.
///
//= L8
#[test]
fn the_priority_share_is_reckoned_from_the_right_base() {
    let share = |ceiling, last_ceiling, reported: Option<u32>, priority_percent| {
        Order {
            ceiling,
            last_ceiling,
            reported: reported.map(LicenseCount),
            priority_percent,
            ..ORDER
        }
        .priority_share()
    };
    assert_eq!(share(Some(30_000), Some(20_000), Some(9), 5), 1_500);
    assert_eq!(share(None, Some(20_000), Some(9), 5), 1_000);
    assert_eq!(share(None, None, Some(9), 5), 4_500);
    assert_eq!(share(None, None, None, 5), 500, "at least of one license");
    assert_eq!(
        share(Some(0), None, None, 5),
        500,
        "at least of one license"
    );
    assert_eq!(share(Some(30_000), None, None, 2), 600, "configurable down");
    assert_eq!(share(Some(30_000), None, None, 0), 0);
    assert_eq!(share(Some(30_000), None, None, 50), 1_500, "and never up");
    assert_eq!(share(Some(10_019), None, None, 5), 500, "rounded down");
    let most = share(Some(u32::MAX), None, None, 5);
    assert_eq!(most, u32::MAX / 20);
}

//= L8
//= L12
#[test]
fn a_block_without_a_ceiling_gives_the_base_as_the_ceiling() {
    let blocked = Order {
        policy: Policy::Block,
        last_ceiling: Some(40_000),
        blocked_by: Some(FeatureIndex(2)),
        ..ORDER
    };
    let expected = Terms {
        ceiling: Some(40_000),
        priority_share: 2_000,
        block: Some(Block::Service),
        ..Terms::default()
    };
    assert_eq!(blocked.terms(), expected);
    let by_feature = Order {
        policy: Policy::Allow,
        ..blocked
    };
    let block = Some(Block::Feature(FeatureIndex(2)));
    assert_eq!(by_feature.terms(), Terms { block, ..expected });
    let open = Order {
        blocked_by: None,
        ..by_feature
    };
    assert_eq!((open.terms().ceiling, open.terms().block), (None, None));
}

//= L2
#[test]
fn nothing_is_refused_until_smart_licensing_was_enabled() {
    let never = Order {
        enforced: false,
        policy: Policy::Block,
        ceiling: Some(1),
        blocked_by: Some(FeatureIndex(0)),
        blocked_features: FeatureSet(3),
        ..ORDER
    };
    assert_eq!(never.terms(), Terms::default());
}
